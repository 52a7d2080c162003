"use strict";
// What is shown is told by the address, behind "#": it can be kept, sent and gone back to.
// Whatever in an address means nothing here is left out: the data decide what may be asked for.
(() => {
  const SIZES = [1e6, 1e7, 1e8, 5e8, 1e9, 3e9, 7e9, 13e9, 30e9, 70e9, 2e11];
  const ASKED = ["dataset", "measure", "items", "variant"];

  const blank = () => ({
    view: null, sort: { id: "rank", descending: false }, search: "", family: "", least: 0, most: 0,
    baselines: false, shown: new Set(), hidden: new Set(), open: new Set(), page: 0,
  });

  /** The views of a kind of data (simulated or not) that agree with what is chosen, as far as any does. */
  const narrowed = (board, simulated, chosen) => {
    let left = board.views.map((view, at) => ({ ...view, at })).filter((view) => view.simulated === simulated);
    const offered = {};
    for (const name of ASKED) {
      offered[name] = [...new Set(left.map((view) => view[name]))];
      const same = left.filter((view) => view[name] === chosen[name]);
      left = same.length ? same : left.filter((view) => view[name] === left[0][name]);
    }
    return { view: left[0] ?? null, offered };
  };

  const write = (board, state, columns) => {
    const told = new URLSearchParams();
    const view = state.view;
    if (view && view.at !== board.start) {
      told.set("data", view.simulated ? "simulated" : "real");
      for (const name of ASKED) if (view[name]) told.set(name, view[name]);
    }
    if (state.sort.id !== "rank" || state.sort.descending) {
      told.set("sort", (state.sort.descending ? "-" : "+") + state.sort.id);
    }
    for (const name of ["search", "family", "least", "most"]) if (state[name]) told.set(name, state[name]);
    if (state.page) told.set("page", state.page + 1);
    if (state.baselines) told.set("baselines", "shown");
    for (const key of state.open) told.append("open", key);
    for (const one of columns) {
      if (!one.shown && state.shown.has(one.id)) told.append("show", one.id);
      if (one.shown && state.hidden.has(one.id)) told.append("hide", one.id);
    }
    return told.toString();
  };

  const read = (board, text) => {
    const told = new URLSearchParams(text);
    const state = blank();
    const start = board.views[board.start];
    const kinds = new Set(board.views.map((view) => view.simulated));
    if (start) {
      const asked = told.get("data") === "simulated" ? true : told.get("data") === "real" ? false : start.simulated;
      const chosen = told.has("data") ? Object.fromEntries(ASKED.map((name) => [name, told.get(name) ?? ""])) : start;
      state.view = narrowed(board, kinds.has(asked) ? asked : start.simulated, chosen).view;
    }
    const columns = brainbenchFront.columnsOf(board, state.view);
    const ids = new Set(columns.map((one) => one.id));
    const sort = told.get("sort") ?? "";
    if (/^[+-]/.test(sort) && ids.has(sort.slice(1))) state.sort = { id: sort.slice(1), descending: sort[0] === "-" };
    state.search = (told.get("search") ?? "").slice(0, 200);
    const families = new Set(board.lines.map((line) => line.family));
    if (families.has(told.get("family"))) state.family = told.get("family");
    for (const name of ["least", "most"]) if (SIZES.includes(Number(told.get(name)))) state[name] = Number(told.get(name));
    state.baselines = told.get("baselines") === "shown";
    state.shown = new Set(told.getAll("show").filter((id) => ids.has(id)));
    state.hidden = new Set(told.getAll("hide").filter((id) => ids.has(id) && id !== "model"));
    const page = Number(told.get("page")) - 1;
    if (Number.isInteger(page) && page > 0 && page < board.lines.length) state.page = page;
    const keys = new Set(board.lines.map((line) => line.key));
    state.open = new Set(told.getAll("open").filter((key) => keys.has(key)));
    return state;
  };

  /** Whether a column is shown: as it is at first, where nobody chose otherwise. */
  const isShown = (state, one) => (one.shown ? !state.hidden.has(one.id) : state.shown.has(one.id));

  brainbenchFront.state = { ASKED, SIZES, narrowed, read, write, isShown, isOurs: (text) => text === "" || text.includes("=") };
})();
