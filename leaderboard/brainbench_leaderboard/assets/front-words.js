"use strict";
// Numbers as text, and elements: everything from the data goes in as text, never as markup.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const UNITS = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]];
  const WIDTH = 96, HEIGHT = 16, EDGE = 4;

  /** A count in short: 134,515,008 is "135M". */
  const count = (n) => {
    const [unit, name] = UNITS.find(([least]) => n >= least) ?? [1, ""];
    const scaled = n / unit;
    return (unit === 1 ? String(n) : Number(scaled.toPrecision(3)).toString()) + name;
  };
  const signed = (x) => (x > 0 ? "+" : x < 0 ? "\u2212" : "") + Math.abs(x).toFixed(3);
  const fixed = (x) => (x < 0 ? "\u2212" : "") + Math.abs(x).toFixed(3);
  const FORMATS = {
    count: (x, id) => (id === "parameters" ? count(x) : String(x)),
    score: fixed, accuracy: fixed, idea: fixed, gain: signed,
    share: (x) => `${(100 * x).toFixed(1)} %`,
    ratio: (x) => `\u00d7 ${x.toFixed(2)}`,
  };

  brainbenchFront.text = (value, column) => (FORMATS[column.kind] ?? String)(value, column.id);
  brainbenchFront.interval = (cell, column) => {
    const form = column.kind === "gain" ? signed : fixed;
    return cell.low === undefined ? "" : `[${form(cell.low)}, ${form(cell.high)}]`;
  };
  brainbenchFront.p = (p) => (p === undefined ? "" : p < 0.0005 ? "< 0.001" : p.toFixed(3));
  brainbenchFront.fixed = fixed;

  /** An element with attributes (null or false: none) and children: elements, or texts. */
  const make = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) made.setAttribute(key, "");
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, String(value));
    }
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
  };
  brainbenchFront.make = make;

  /** From the least to the most that a column has to show, always with zero. */
  brainbenchFront.rangeOf = (column) => {
    const found = [0, column.source.ceiling, column.source.dull];
    for (const cell of column.source.cells.values()) {
      if (cell.value !== undefined) found.push(cell.value, cell.low, cell.high);
    }
    const known = found.filter((x) => typeof x === "number");
    return [Math.min(...known), Math.max(...known)];
  };

  /** A score as a dot with its interval as a line, between ticks of zero, ceiling and dull predictor. */
  brainbenchFront.mark = (cell, column, [least, most]) => {
    const at = (x) => (EDGE + ((x - least) / (most - least || 1)) * (WIDTH - 2 * EDGE)).toFixed(1);
    const draw = (name, attributes) => {
      const made = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const svg = draw("svg", {
      class: "mark", width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      "aria-hidden": "true", focusable: "false",
    });
    const tick = (x, kind, top, bottom) => {
      if (typeof x === "number") svg.append(draw("line", { class: kind, x1: at(x), x2: at(x), y1: top, y2: bottom }));
    };
    tick(0, "zero", 2, HEIGHT - 2);
    tick(column.source.dull, "dull", 1, HEIGHT - 1);
    tick(column.source.ceiling, "ceiling", 0, HEIGHT);
    const y = HEIGHT / 2;
    if (cell.low !== undefined) svg.append(draw("line", { class: "span", x1: at(cell.low), x2: at(cell.high), y1: y, y2: y }));
    svg.append(draw("circle", { class: "dot", cx: at(cell.value), cy: y, r: 3 }));
    return svg;
  };
})();
