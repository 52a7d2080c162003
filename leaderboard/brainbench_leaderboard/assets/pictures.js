"use strict";
// Draws the charts of a page, each from the specification in its figure, in the colours of the page.
(() => {
  const told = (figure, name) => JSON.parse(figure.querySelector(`script.${name}`).textContent);
  const views = new Map();

  function colours() {
    const style = getComputedStyle(document.documentElement);
    return (name) => style.getPropertyValue(`--${name}`).trim();
  }

  function config() {
    const colour = colours();
    const [ink, soft] = [colour("ink"), colour("soft")];
    const text = { labelColor: ink, titleColor: ink, labelFontSize: 11, titleFontSize: 12, titleFontWeight: 500 };
    const limit = { strokeWidth: 2, opacity: 1 };
    return {
      background: null,
      font: "system-ui, -apple-system, 'Segoe UI', sans-serif",
      aria: false, // the figure has a text of its own
      view: { stroke: colour("line") },
      axis: { ...text, gridColor: colour("grid"), domainColor: soft, tickColor: soft },
      legend: { ...text, labelLimit: 260 },
      header: { ...text, labelFontSize: 12, labelFontWeight: 600 },
      range: { category: [1, 2, 3, 4, 5, 6].map((at) => colour(`mark-${at}`)) },
      line: { invalid: "filter" },
      point: { strokeWidth: 1 },
      style: {
        ceiling: { ...limit, color: colour("ceiling") },
        dull: { ...limit, color: colour("dull"), strokeDash: [5, 4] },
        zero: { color: soft, strokeWidth: 1 },
        interval: { strokeWidth: 1.5, opacity: 0.75, color: soft },
        first: { color: colour("mark-1") },
        person: { color: colour("mark-1"), opacity: 0.55 },
        headline: { color: colour("mark-2"), opacity: 1 },
        "headline-interval": { color: colour("mark-2"), strokeWidth: 3 },
        "ceiling-mark": { color: colour("ceiling"), strokeWidth: 3, opacity: 1 },
        "dull-mark": { color: colour("dull"), strokeWidth: 3, strokeDash: [4, 3], opacity: 1 },
        median: { color: ink, thickness: 3, size: 20 },
        name: { color: ink, fontSize: 11 },
      },
    };
  }

  // As wide as the page lets it be; of several panels as many side by side as fit.
  function sized(specification, width, correction) {
    const made = structuredClone(specification);
    if (!made.facet) {
      made.width = Math.max(100, width - correction - 80);
      return made;
    }
    const columns = Math.max(1, Math.min(made.columns, Math.floor(width / 300)));
    made.columns = columns;
    made.spec.width = Math.max(100, Math.floor((width - correction) / columns) - 30);
    return made;
  }

  async function draw(figure) {
    const box = figure.querySelector(".chart");
    const specification = told(figure, "specification");
    for (const datum of specification.data.values) {
      if (datum.page) datum.page = figure.dataset.root + datum.page;
    }
    const options = {
      mode: "vega-lite", renderer: "canvas", ast: true, actions: false, defaultStyle: false,
      tooltip: { disableDefaultStyle: true }, config: config(),
    };
    try {
      const turn = (views.get(figure)?.turn ?? 0) + 1;
      const inner = document.createElement("div");
      views.set(figure, { ...views.get(figure), turn, width: box.clientWidth });
      const place = (correction) => window.vegaEmbed(inner, sized(specification, box.clientWidth, correction), options);
      const old = views.get(figure).made;
      box.replaceChildren(inner);
      let made = await place(0);
      const real = parseFloat(inner.querySelector("canvas").style.width);
      if (Math.abs(real - box.clientWidth) > 8) { // how much the words beside the panels take is known only now
        made.finalize();
        made = await place(real - box.clientWidth + 4);
      }
      if (views.get(figure).turn !== turn) return made.finalize();
      old?.finalize();
      views.set(figure, { turn, made, width: box.clientWidth });
      figure.querySelectorAll(".drawn").forEach((button) => { button.hidden = false; });
      figure.dataset.drawn = "yes";
    } catch (problem) {
      const words = document.createElement("p");
      words.textContent = `This picture could not be drawn (${problem.message}); its numbers are below.`;
      box.replaceChildren(words);
      figure.dataset.drawn = "no";
    }
  }

  const nameOf = (figure, ending) =>
    `${document.title.split(" - ")[0]}-${figure.id}.${ending}`.replace(/[^\w.-]+/g, "-");

  function prepare(figure) {
    const does = {
      async svg() {
        brainbenchFiles.save(nameOf(figure, "svg"), "image/svg+xml", await onPaper(figure, (view) => view.toSVG()));
      },
      async png() {
        brainbenchFiles.saveFrom(nameOf(figure, "png"), await onPaper(figure, (view) => view.toImageURL("png", 2)));
      },
      csv() {
        const { columns, rows } = told(figure, "numbers");
        brainbenchFiles.save(nameOf(figure, "csv"), "text/csv;charset=utf-8", brainbenchFiles.csv([columns, ...rows]));
      },
    };
    figure.querySelector(".saving").hidden = false;
    for (const button of figure.querySelectorAll("button[data-save]")) {
      button.addEventListener("click", does[button.dataset.save]);
    }
  }

  // A saved picture has the paper of the page behind it: its colours are made for that.
  async function onPaper(figure, render) {
    const view = views.get(figure).made.view;
    const before = view.background();
    await view.background(colours()("paper")).runAsync();
    const made = await render(view);
    await view.background(before).runAsync();
    return made;
  }

  const figures = [...document.querySelectorAll("figure.picture")];
  figures.forEach(prepare);
  const charts = figures.filter((figure) => figure.querySelector("script.specification"));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "600px" });
  charts.forEach((figure) => seen.observe(figure));
  const again = (figure) => views.has(figure) && draw(figure);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach(again));
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      for (const figure of charts) {
        const known = views.get(figure);
        if (known && known.width !== figure.querySelector(".chart").clientWidth) draw(figure);
      }
    });
  });
})();
