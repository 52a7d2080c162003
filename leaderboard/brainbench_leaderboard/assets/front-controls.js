"use strict";
// What can be chosen above the table: the data, which models, and which columns.
(() => {
  const { make, state: states } = brainbenchFront;
  const at = (id) => document.getElementById(id);
  const WORDS = { true: "simulated", false: "real" };

  const fill = (select, options, chosen) => {
    const same = select.options.length === options.length
      && options.every(([value, words], i) => select.options[i].value === value && select.options[i].text === words);
    if (!same) select.replaceChildren(...options.map(([value, words]) => make("option", { value }, words)));
    select.value = chosen;
  };

  const sizes = (first) => [["0", first], ...states.SIZES.map((n) => [String(n), brainbenchFront.text(n, { kind: "count", id: "parameters" })])];

  const box = (one, checked, key) => {
    const input = make("input", { type: "checkbox", "data-column": one.id, "data-key": key });
    input.checked = checked;
    return make("label", {}, input, ` ${one.title}`);
  };

  const boxes = (state, columns) => {
    const groups = new Map();
    for (const one of columns) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
    return [...groups].map(([name, own]) => make("fieldset", {}, make("legend", {}, name),
      ...own.map((one) => box(one, states.isShown(state, one), `column ${one.id}`))));
  };

  const about = (pages) => ["What this is: ", make("a", { href: pages.dataset, "data-key": "about dataset" }, "the dataset"),
    " and its pictures, ", make("a", { href: pages.metric, "data-key": "about metric" }, "the metric"), ", ",
    make("a", { href: pages.table, "data-key": "about table" }, "a plain table of all sets of items"), "."];

  const draw = (board, state, shown) => {
    const kinds = [...new Set(board.views.map((view) => view.simulated))];
    const { view } = state;
    at("board-data").hidden = !view;
    at("board-about").replaceChildren(...(view ? about(view.pages) : []));
    at("board-simulated").hidden = !(view && view.simulated);
    if (view) {
      fill(at("board-kind"), kinds.map((kind) => [WORDS[kind], WORDS[kind]]), WORDS[view.simulated]);
      const { offered } = states.narrowed(board, view.simulated, view);
      for (const name of states.ASKED) {
        const mark = name === "dataset" && view.simulated ? "SIMULATED " : "";
        fill(at(`board-${name}`), offered[name].map((words) => [words, words ? mark + words : "usual"]), view[name]);
      }
      at("board-variant").closest("label").hidden = offered.variant.length < 2;
    }
    const families = [...new Set(board.lines.map((line) => line.family).filter(Boolean))].sort((a, b) => a.localeCompare(b, "en"));
    fill(at("board-family"), [["", "all"], ...families.map((name) => [name, name])], state.family);
    fill(at("board-least"), sizes("any"), String(state.least));
    fill(at("board-most"), sizes("any"), String(state.most));
    if (at("board-search").value !== state.search) at("board-search").value = state.search;
    at("board-baselines").checked = state.baselines;
    const regions = shown.all.filter((one) => one.region !== undefined);
    at("board-regions").closest("details").hidden = !regions.length;
    at("board-regions").replaceChildren(...boxes(state, regions));
    at("board-columns").replaceChildren(...boxes(state, shown.all.filter((one) => one.region === undefined && one.id !== "model")));
    const hidden = regions.filter((one) => !states.isShown(state, one)).length;
    at("board-regions-count").textContent = hidden ? ` (${regions.length - hidden} of ${regions.length})` : "";
  };

  const start = (board, now, change) => {
    const on = (id, event, take) => at(id).addEventListener(event, () => change(take(at(id))));
    const choose = (simulated, chosen) => ({ view: states.narrowed(board, simulated, chosen).view });
    on("board-kind", "change", (it) => choose(it.value === WORDS.true, now().view));
    for (const name of states.ASKED) {
      on(`board-${name}`, "change", (it) => choose(now().view.simulated, { ...now().view, [name]: it.value }));
    }
    on("board-search", "input", (it) => ({ search: it.value.slice(0, 200) }));
    on("board-family", "change", (it) => ({ family: it.value }));
    on("board-least", "change", (it) => ({ least: Number(it.value) }));
    on("board-most", "change", (it) => ({ most: Number(it.value) }));
    on("board-baselines", "change", (it) => ({ baselines: it.checked }));
    at("board-clear").addEventListener("click", () => change({ search: "", family: "", least: 0, most: 0 }));
    for (const id of ["board-regions", "board-columns"]) {
      at(id).addEventListener("change", (event) => {
        const { column } = event.target.dataset;
        const [shown, hidden] = [new Set(now().shown), new Set(now().hidden)];
        (event.target.checked ? shown : hidden).add(column);
        (event.target.checked ? hidden : shown).delete(column);
        change({ shown, hidden }, { samePage: true });
      });
    }
  };

  brainbenchFront.controls = { draw, start };
})();
