"use strict";
// What is shown as a file: all pages of the lines that are left, and the columns that are chosen.
(() => {
  const PARTS = ["value", "low", "high", "p", "rank"];

  const partsOf = (column) =>
    column.kind === "gain" ? PARTS.slice(0, 4)
      : ["score", "accuracy", "idea"].includes(column.kind) ? PARTS : ["value"];
  const cellOf = (line, column) => column.source.cells.get(line.at);
  const part = (line, column, name) => cellOf(line, column)?.[name === "value" ? column.field : name];

  /** Comma-separated: the first line names the columns, what is missing is empty. */
  brainbenchFront.csv = ({ lines, columns, rankedBy }) => {
    const heads = columns.flatMap((one) => {
      if (one.kind === "rank") return [`rank by ${rankedBy ? `${rankedBy.group}: ${rankedBy.title}` : "nothing"}`];
      if (!one.source) return [one.title];
      const parts = partsOf(one);
      return parts.map((name) => `${one.group}: ${one.title}${parts.length > 1 ? `, ${name}` : ""}`);
    });
    const rows = lines.map((line) => columns.flatMap((one) =>
      one.source ? partsOf(one).map((name) => part(line, one, name)) : [brainbenchFront.valueOf(line, one, rankedBy)]));
    return brainbenchFiles.csv([heads, ...rows]);
  };

  /** The same for programs, with what was asked and what the scores are held to; null is missing. */
  brainbenchFront.json = ({ board, view, lines, columns, rankedBy, address }) => {
    const about = (one) => {
      const source = one.source ?? {};
      const told = { id: one.id, title: one.title, group: one.group, kind: one.kind };
      for (const name of ["ceiling", "ceiling_note", "dull", "dull_name", "simulated", "task", "change", "learnt_from",
        "chance", "constant_answer", "constant_accuracy", "people_accuracy", "validity"]) {
        if (name in source) told[name] = source[name];
      }
      if (one.kind === "rank") told.by = rankedBy?.id ?? null;
      return told;
    };
    const cell = (line, one) => {
      if (!one.source) return brainbenchFront.valueOf(line, one, rankedBy) ?? null;
      if (part(line, one, "value") === undefined) return null;
      const parts = partsOf(one);
      if (parts.length === 1) return part(line, one, "value");
      return Object.fromEntries(parts.map((name) => [name, part(line, one, name) ?? null]));
    };
    const rows = lines.map((line) => {
      const missing = columns.filter((one) => one.source && part(line, one, "value") === undefined);
      return {
        model: line.model, revision: line.revision, dtype: line.dtype, pooling: line.pooling, seed: line.seed,
        baseline: line.baseline, resolved: line.resolved,
        shown: Object.fromEntries(columns.map((one) => [one.id, cell(line, one)])),
        missing: Object.fromEntries(missing.map((one) => [one.id, brainbenchFront.whyNot(line, one)[1]])),
      };
    });
    const asked = view && { ...view.asked, items: view.items, simulated: view.simulated };
    const told = { made: board.made, brainbench: board.brainbench, address, asked, columns: columns.map(about), rows };
    return JSON.stringify(told, null, 1) + "\n";
  };
})();
