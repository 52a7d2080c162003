"use strict";
// The board's data (data/board.js) as lines with cells, and as columns that a table can show.
// A cell is an object of numbers; `why` and `note` are [outcome, phase, reason, hint]. No cell: not run.
const brainbenchFront = {};

(() => {
  const SIMULATED = "SIMULATED ";

  /** The words, told apart where they are taken, so that an address means one thing. */
  const toldApart = (taken, words) => {
    const before = taken.get(words) ?? 0;
    taken.set(words, before + 1);
    return before ? `${words} (${before + 1})` : words;
  };

  /** Unpack what front_data.py packed: lists beside `at` become one object for each line. */
  brainbenchFront.unpack = (packed) => {
    const named = new Map();
    const lines = packed.models.map((values, at) => {
      const line = { at, key: "" };
      packed.fields.forEach((field, i) => { line[field] = values[i]; });
      line.key = toldApart(named, line.model);
      line.words = [line.model, line.revision, line.family].filter(Boolean).join("\n").toLowerCase();
      return line;
    });
    const columns = packed.columns.map((column) => {
      const { at, ...rest } = column;
      const lists = Object.entries(rest).filter(([, value]) => Array.isArray(value));
      const facts = Object.fromEntries(Object.entries(rest).filter(([, value]) => !Array.isArray(value)));
      const cells = new Map();
      at.forEach((line, i) => {
        const cell = {};
        for (const [name, list] of lists) if (list[i] !== null) cell[name] = list[i];
        for (const name of ["why", "note"]) if (name in cell) cell[name] = packed.reasons[cell[name]];
        cells.set(line, cell);
      });
      return { ...facts, cells };
    });
    return { ...packed, lines, columns };
  };

  // On a phone the first score is to be in sight beside the model's name.
  const ROOM = !matchMedia("(max-width: 40rem)").matches;

  const BASE = [
    // id, heading, kind, shown at first
    ["rank", "Rank", "rank", true],
    ["model", "Model", "model", true],
    ["revision", "Revision", "text", false],
    ["family", "Family", "text", false],
    ["parameters", "Parameters", "count", ROOM],
    ["layers", "Layers", "count", false],
    ["dtype", "Number format", "text", false],
    ["pooling", "Pooling", "text", false],
    ["seed", "Seed", "count", false],
  ];

  /** All columns of a view, in the order in which they are shown. */
  brainbenchFront.columnsOf = (board, view) => {
    const { simulated } = view ?? {};
    // What was learnt from, or written about, data of the other kind stands beside no score of this kind. Only
    // where there is no view of its kind is it offered here, and marked: nothing is out of reach.
    const kinds = new Set(board.views.map((one) => one.simulated));
    const apart = (one) => typeof one.simulated === "boolean" && one.simulated !== simulated;
    const made = BASE.map(([id, title, kind, shown]) => ({ id, title, kind, shown, group: "Model" }));
    const fits = board.columns.filter((one) =>
      one.kind === "score" ? view && one.view === view.at : !apart(one) || !kinds.has(one.simulated));
    for (const one of fits) {
      const own = (MAKE[one.kind] ?? (() => []))(one, board);
      if (view && apart(one)) for (const column of own) column.shown = false;
      made.push(...own);
    }
    made.push({ id: "date", title: "Date", kind: "date", shown: true, group: "Model", last: true });
    if (!view) for (const one of made) if (["accuracy", "idea"].includes(one.kind)) one.shown = true;
    const ids = new Map();
    for (const one of made) one.id = toldApart(ids, one.id);
    return made;
  };

  const MAKE = {
    score: (one, board) => {
      const view = board.views[one.view];
      const words = `${view.dataset}, ${view.measure}, ${view.items} items`;
      return [{
        id: `region:${one.region}`, title: one.region, kind: "score", shown: true, source: one, field: "value",
        group: (view.simulated ? SIMULATED : "") + words, simulated: view.simulated, region: one.region,
      }];
    },
    accuracy: (one) => [{
      id: `accuracy:${one.task}`, title: "accuracy", kind: "accuracy", shown: false, source: one, field: "value",
      group: one.task,
    }],
    change: (one) => {
      const how = [one.change, one.learnt_from && `learnt from ${one.learnt_from}`, one.chosen, one.settings,
        one.oracle && "told the right answers"].filter(Boolean).join(", ");
      const group = `${one.simulated ? SIMULATED : ""}${one.task}: ${how}`;
      const part = (field, title, kind) => ({
        id: `${field === "value" ? "gain" : field}:${one.task}: ${how}`, title, kind, field, source: one, group,
        shown: Boolean(one.usual), simulated: one.simulated === true,
      });
      return [
        part("value", one.tuned ? "tuned gain" : "steered gain", "gain"),
        part("harm", "harm", "share"),
        part("perplexity", "perplexity", "ratio"),
      ];
    },
    idea: (one) => [{
      id: `idea:${one.title}`, title: "originality", kind: "idea", shown: false, source: one, field: "value",
      group: `${one.simulated ? SIMULATED : ""}${one.title}`, simulated: one.simulated,
    }],
  };

  /** What a line has in a column: undefined where it has nothing, never zero. */
  brainbenchFront.valueOf = (line, column, rankedBy) => {
    if (column.kind === "rank") return rankedBy?.source.cells.get(line.at)?.rank;
    if (!column.source) return line[column.id] ?? undefined;
    return column.source.cells.get(line.at)?.[column.field];
  };

  const STATES = { skip: "skipped", failure: "failed", note: "not known" };

  /** Why nothing stands there: a word, and a sentence. */
  brainbenchFront.whyNot = (line, column) => {
    const cell = column.source.cells.get(line.at);
    if (cell === undefined) return ["not run", "Not run: nobody has asked this of it here."];
    if (!cell.why) return ["not known", "Not known of this run."];
    const [outcome, phase, reason, hint] = cell.why;
    const where = outcome === "failure" && phase ? ` (${phase})` : "";
    const words = `${STATES[outcome]}${where}: ${reason} ${hint}`.trim();
    return [STATES[outcome], words[0].toUpperCase() + words.slice(1)];
  };
})();
