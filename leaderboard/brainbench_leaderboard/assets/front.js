"use strict";
// The front page at work: what is chosen, the lines that are left (TanStack Table), and the page drawn anew.
(() => {
  const states = brainbenchFront.state;
  const PAGE = 100;
  const BEST_FIRST = new Set(["score", "accuracy", "idea", "gain"]);
  const at = (id) => document.getElementById(id);
  const board = brainbenchFront.unpack(brainbenchData.board);
  const core = TableCore.createTable({
    data: [], columns: [], state: {}, renderFallbackValue: null, onStateChange: () => {},
    getCoreRowModel: TableCore.getCoreRowModel(), getFilteredRowModel: TableCore.getFilteredRowModel(),
    getSortedRowModel: TableCore.getSortedRowModel(), getPaginationRowModel: TableCore.getPaginationRowModel(),
    autoResetPageIndex: false,
  });
  const untouched = core.initialState;
  let state = states.read(board, location.hash.slice(1));
  let shown;

  const wanted = (line) =>
    (state.baselines || !line.baseline) && (!state.family || line.family === state.family)
    && (!(state.least || state.most) || (line.parameters !== null
      && line.parameters >= state.least && (!state.most || line.parameters <= state.most)))
    && state.search.toLowerCase().split(/\s+/).every((word) => line.words.includes(word));

  /** Compare for the sorting; what is missing comes last both ways. */
  const compare = (descending) => (a, b, id) => {
    const [one, other] = [a.getValue(id), b.getValue(id)];
    if (one === undefined || other === undefined) {
      return ((one === undefined) - (other === undefined)) * (descending ? -1 : 1);
    }
    return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other), "en");
  };

  /** All that is drawn, from what is chosen. */
  const arrange = () => {
    const all = brainbenchFront.columnsOf(board, state.view);
    const columns = all.filter((one) => states.isShown(state, one));
    const ranks = (one) => one && ["score", "accuracy", "idea"].includes(one.kind);
    if (!columns.some((one) => one.id === state.sort.id)) state.sort = { id: "rank", descending: false };
    const sorted = columns.find((one) => one.id === state.sort.id);
    const ranked = (one) => ranks(one) && [...one.source.cells.values()].some((cell) => cell.rank !== undefined);
    const rankedBy = ranks(sorted) ? sorted
      : columns.find((one) => one.kind === "score") ?? columns.find(ranked) ?? columns.find(ranks);
    const order = [{ id: state.sort.id, desc: state.sort.descending }];
    if (state.sort.id === "rank" && rankedBy) order.push({ id: rankedBy.id, desc: true });
    const using = new Map(order.map((one) => [one.id, one.desc]));
    core.setOptions((old) => ({
      ...old,
      data: board.lines.slice(), // else rows keep the values that a column of this name had in another view
      columns: all.map((one) => ({
        id: one.id, accessorFn: (line) => brainbenchFront.valueOf(line, one, rankedBy),
        sortingFn: compare(using.get(one.id)), sortUndefined: false,
        filterFn: (row, id, keeps) => keeps(row.original),
      })),
      state: {
        ...untouched, sorting: order, columnFilters: [{ id: "model", value: wanted }],
        pagination: { pageIndex: state.page, pageSize: PAGE },
      },
    }));
    const lines = core.getSortedRowModel().rows.map((row) => row.original);
    const pages = Math.max(1, Math.ceil(lines.length / PAGE));
    state.page = Math.min(state.page, pages - 1);
    const ties = new Map();
    for (const line of board.lines) {
      const rank = brainbenchFront.valueOf(line, { kind: "rank" }, rankedBy);
      if (rank !== undefined) ties.set(rank, (ties.get(rank) ?? 0) + 1);
    }
    const ranges = new Map(columns.filter((one) => one.kind === "score").map((one) => [one.id, brainbenchFront.rangeOf(one)]));
    return {
      board, all, columns, rankedBy, lines, pages, ties, ranges, sort: state.sort, open: state.open, view: state.view,
      page: lines.slice(state.page * PAGE, (state.page + 1) * PAGE),
    };
  };

  const draw = () => {
    shown = arrange();
    const kept = document.activeElement?.dataset?.key;
    at("board-head").replaceChildren(...brainbenchFront.head(shown));
    at("board-body").replaceChildren(...brainbenchFront.body(shown));
    brainbenchFront.controls.draw(board, state, shown);
    if (kept) {
      const again = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === kept);
      (again ?? at("board-region")).focus({ preventScroll: true });
    }
    count();
  };

  const count = () => {
    const { lines, pages } = shown;
    const from = state.page * PAGE;
    const rows = pages > 1 ? `, ${from + 1} to ${Math.min(from + PAGE, lines.length)} on this page` : "";
    const all = board.lines.filter((line) => state.baselines || !line.baseline).length;
    const words = `${lines.length} of ${all} ${state.baselines ? "models and baselines" : "models"}${rows}.`;
    if (at("board-count").textContent !== words) at("board-count").textContent = words;
    at("board-page").textContent = `Page ${state.page + 1} of ${pages}`;
    at("board-pages").hidden = pages < 2;
    at("board-previous").disabled = state.page === 0;
    at("board-next").disabled = state.page === pages - 1;
  };

  /** Take in a choice, draw, and tell the address; a choice of lines leads back to the first page. */
  const change = (made, { samePage = false } = {}) => {
    state = { ...state, ...(samePage ? {} : { page: 0 }), ...made };
    draw();
    const told = states.write(board, state, shown.all);
    history.replaceState(null, "", `#${told}`);
  };

  const sortBy = (id) => {
    const column = shown.columns.find((one) => one.id === id);
    const descending = state.sort.id === id ? !state.sort.descending : BEST_FIRST.has(column.kind);
    change({ sort: { id, descending } });
  };

  const open = (key) => {
    const now = new Set(state.open);
    if (!now.delete(key)) now.add(key);
    change({ open: now }, { samePage: true });
  };

  at("board-table").addEventListener("click", (event) => {
    const { sort, open: key } = event.target.closest("button")?.dataset ?? {};
    if (sort !== undefined) sortBy(sort);
    if (key !== undefined) open(key);
  });
  const turn = (by) => { change({ page: state.page + by }, { samePage: true }); at("board-region").scrollTop = 0; };
  at("board-previous").addEventListener("click", () => turn(-1));
  at("board-next").addEventListener("click", () => turn(1));
  const address = () => location.href.replace(/^.*?(#|$)/, "$1");
  at("board-csv").addEventListener("click", () =>
    brainbenchFiles.save("brainbench.csv", "text/csv;charset=utf-8", brainbenchFront.csv(shown)));
  at("board-json").addEventListener("click", () =>
    brainbenchFiles.save("brainbench.json", "application/json", brainbenchFront.json({ ...shown, address: address() })));
  window.addEventListener("hashchange", () => {
    if (!states.isOurs(location.hash.slice(1))) return;
    state = states.read(board, location.hash.slice(1));
    draw();
  });
  brainbenchFront.controls.start(board, () => state, change);
  at("board").hidden = false;
  draw();
})();
