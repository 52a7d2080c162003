"use strict";
// Files that a page hands to its visitor, without any server.
const brainbenchFiles = (() => {
  // A spreadsheet takes text that begins so for a formula.
  const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/;

  const cell = (value) => {
    if (value === undefined || value === null) return "";
    const words = typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
  };

  /** Rows as comma-separated values (RFC 4180); what is missing is empty. */
  const csv = (rows) => rows.map((row) => row.map(cell).join(",") + "\r\n").join("");

  /** Save what lies at an address under a name. */
  const saveFrom = (name, address) => {
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
  };

  /** Save a text under a name. */
  const save = (name, type, content) => {
    const address = URL.createObjectURL(new Blob([content], { type }));
    saveFrom(name, address);
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  };

  return { csv, save, saveFrom };
})();
