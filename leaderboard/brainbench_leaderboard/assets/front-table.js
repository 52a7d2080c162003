"use strict";
// The table itself: headings that sort, a line for each model, and below an opened line what is known of it.
(() => {
  const { make } = brainbenchFront;
  const held = (column) => {
    const it = column.source;
    const told = [];
    if (column.kind === "score") {
      told.push(`ceiling ${it.ceiling === null ? "none" : brainbenchFront.fixed(it.ceiling)}`);
      told.push(it.dull === null ? "no dull predictor" : `dull ${brainbenchFront.fixed(it.dull)} (${it.dull_name})`);
    }
    if (column.kind === "accuracy") {
      if (it.people_accuracy !== null) told.push(`people ${brainbenchFront.fixed(it.people_accuracy)}`);
      if (it.constant_accuracy !== null) told.push(`always ${it.constant_answer} ${brainbenchFront.fixed(it.constant_accuracy)}`);
    }
    if (column.kind === "idea") {
      told.push(it.validity === null ? "scorer not validated" : `scorer's validity ${brainbenchFront.fixed(it.validity)}`);
    }
    return told;
  };

  /** What ranks hold in; a region's heading has its group above it, of accuracies there may be several. */
  const ranking = (by) => !by ? [] : [by.kind === "score" ? `in ${by.title}` : `by ${by.title}, ${shortened(by.group)}`];
  const shortened = (words) => (words.length > 50 ? `${words.slice(0, 48)}\u2026` : words);

  const heading = (column, shown) => {
    const { sort, rankedBy } = shown;
    const sorted = sort.id === column.id ? (sort.descending ? "descending" : "ascending") : null;
    const arrow = sorted ? (sort.descending ? "\u2193" : "\u2191") : "\u2195";
    const button = make("button", { type: "button", "data-key": `sort ${column.id}`, "data-sort": column.id },
      column.title, make("span", { class: sorted ? "arrow on" : "arrow", "aria-hidden": "true" }, arrow));
    const notes = column.kind === "rank" ? ranking(rankedBy) : column.source ? held(column) : [];
    return make("th", { scope: "col", "aria-sort": sorted, class: column.kind },
      button, ...notes.map((words) => make("small", {}, words)));
  };

  const groups = (columns) => {
    const found = [];
    for (const one of columns) {
      const last = found.at(-1);
      if (last && last.of.group === one.group && !one.last) last.span += 1;
      else found.push({ of: one, span: 1 });
    }
    return found.map(({ of, span }) => (of.group === "Model"
      ? make("td", { colspan: span })
      : make("th", { colspan: span, scope: "colgroup", class: of.simulated ? "group made-up" : "group" }, of.group)));
  };

  brainbenchFront.head = (shown) => [
    ...(shown.columns.some((one) => one.source) ? [make("tr", { class: "groups" }, ...groups(shown.columns))] : []),
    make("tr", {}, ...shown.columns.map((one) => heading(one, shown))),
  ];

  const rank = (line, shown) => {
    const it = brainbenchFront.valueOf(line, { kind: "rank" }, shown.rankedBy);
    if (it === undefined) return make("td", { class: "rank" }, line.baseline ? "baseline" : "not ranked");
    const others = shown.ties.get(it) - 1;
    if (!others) return make("td", { class: "rank" }, String(it));
    return make("td", { class: "rank" }, `=${it}`, make("small", {}, `tied with ${others} ${others === 1 ? "other" : "others"}`));
  };

  const marks = (line) => [
    line.revision && (line.revision.length > 20 ? `${line.revision.slice(0, 14)}\u2026` : line.revision),
    line.dtype && line.dtype !== "float32" && line.dtype,
    line.pooling && line.pooling !== "last" && `${line.pooling} pooling`,
    line.seed ? `seed ${line.seed}` : "",
    !line.resolved && "unresolved, not ranked",
  ].filter(Boolean).join(", ");

  const model = (line, shown) => {
    const open = shown.open.has(line.key);
    const button = make("button", {
      type: "button", class: "open", "data-key": `open ${line.key}`, "data-open": line.key,
      "aria-expanded": String(open), "aria-controls": open ? `line-${line.at}` : null, "aria-label": `Details of ${line.model}`,
    }, open ? "\u25be" : "\u25b8");
    const told = make("span", {}, make("a", { href: line.page, "data-key": `page ${line.key}` }, line.model),
      make("small", {}, marks(line)));
    return make("th", { scope: "row", class: "model" }, make("div", {}, button, told));
  };

  const value = (line, column, shown) => {
    if (column.kind === "rank") return rank(line, shown);
    if (column.kind === "model") return model(line, shown);
    const it = brainbenchFront.valueOf(line, column);
    if (!column.source) {
      const none = line.baseline && column.id === "parameters" ? "none" : "not known";
      return make("td", { class: it === undefined ? "missing" : column.kind }, it === undefined ? none : brainbenchFront.text(it, column));
    }
    const cell = column.source.cells.get(line.at);
    if (it === undefined) {
      return make("td", { class: cell?.why ? `${cell.why[0]} missing` : "missing" }, brainbenchFront.whyNot(line, column)[0]);
    }
    const note = column.kind === "gain" && cell.note ? make("small", {}, cell.note[2]) : "";
    const whole = ["score", "gain", "accuracy", "idea"].includes(column.kind);
    const range = shown.ranges.get(column.id);
    return make("td", { class: column.kind },
      make("span", { class: "number" }, brainbenchFront.text(it, column)),
      range ? brainbenchFront.mark(cell, column, range) : "",
      whole && cell.low !== undefined ? make("small", { class: "interval" }, brainbenchFront.interval(cell, column)) : "", note);
  };

  const FACTS = [
    ["revision", "Revision"], ["architecture", "Architecture"], ["parameters", "Parameters"], ["layers", "Layers"],
    ["dtype", "Number format"], ["pooling", "Pooling"], ["seed", "Seed"], ["device", "Device"],
    ["brainbench", "brainbench"], ["date", "Newest result"],
  ];

  /** What an opened line says: how it was run, every shown number in full, and why what is missing is missing. */
  const detail = (line, shown) => {
    const facts = make("dl", {}, ...FACTS.filter(([name]) => !(line.baseline && line[name] === null)).map(([name, label]) => make("div", {}, make("dt", {}, label),
      make("dd", {}, line[name] === null ? "not known" : name === "parameters" ? line[name].toLocaleString("en") : String(line[name])))));
    const rows = shown.columns.filter((one) => one.source).map((one) => {
      const it = brainbenchFront.valueOf(line, one), cell = one.source.cells.get(line.at) ?? {};
      const first = make("th", { scope: "row" }, `${one.title}`, make("small", {}, one.group));
      if (it === undefined) return make("tr", {}, first, make("td", { colspan: 4, class: "why" }, brainbenchFront.whyNot(line, one)[1]));
      const whole = ["score", "gain", "accuracy", "idea"].includes(one.kind);
      return make("tr", {}, first, make("td", {}, brainbenchFront.text(it, one)),
        make("td", {}, whole ? brainbenchFront.interval(cell, one) : ""), make("td", {}, whole ? brainbenchFront.p(cell.p) : ""),
        make("td", { class: "why" }, [one.kind === "score" && one.source.ceiling === null && `No ceiling: ${one.source.ceiling_note}`,
          cell.note && cell.note[2]].filter(Boolean).join(" ")));
    });
    const table = rows.length && make("table", {}, make("caption", {}, `Results of ${line.model} that the columns above show`),
      make("thead", {}, make("tr", {}, ...["Column", "Value", "95 % interval", "p", "Note"].map((words) => make("th", { scope: "col" }, words)))),
      make("tbody", {}, ...rows));
    const more = make("p", {}, make("a", { href: line.page, "data-key": `all ${line.key}` }, `Everything about ${line.model}`));
    return make("tr", { class: "detail", id: `line-${line.at}` },
      make("td", { colspan: shown.columns.length }, make("div", {}, facts, table || "", more)));
  };

  const nothing = (shown) => make("tr", {}, make("td", { colspan: shown.columns.length, class: "nothing" },
    "No model fits what is searched and chosen above."));

  brainbenchFront.body = (shown) => !shown.page.length ? [nothing(shown)] : shown.page.flatMap((line) => {
    const row = make("tr", { class: line.baseline ? "apart" : null }, ...shown.columns.map((one) => value(line, one, shown)));
    return shown.open.has(line.key) ? [row, detail(line, shown)] : [row];
  });
})();
