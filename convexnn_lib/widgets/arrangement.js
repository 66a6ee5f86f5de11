// @ts-check
// The cells of an arrangement, with samples to move and a direction that chooses a cell.
/** @import { Place } from "./parts/frame.js" */
/** @import { Cell, Matrix, Pattern, Point } from "./parts/mathematics.js" */
/** @import { Plane } from "./parts/plane.js" */
import { html, svg, typeset } from "./parts/elements.js";
import { change, makeFrame } from "./parts/frame.js";
import {
  cells, clamp, degrees, isZero, mapped, norm, parallelClasses, roundTo, scale, towards,
} from "./parts/mathematics.js";
import { addHandle, drawArrow, drawAxes, drawLabel, drawLine, makePlane } from "./parts/plane.js";
import { bits, join, plural, short, vector } from "./parts/words.js";

/** @typedef {{ points: Matrix<Point>, angle: number }} State */

// Points lie on a grid of binary fractions, on which products are exact: whether two
// points are parallel is decided without rounding.
const GRID = 1 / 8;
const REACH = 3;
const MOST = 8;
const COLOURS = ["blue", "vermilion", "green", "purple", "orange", "sky", "yellow", "grey"];
/** @type {readonly Point[]} */
const NEW = [[-1, 2], [2, -1.5], [-2, -1], [0.5, 2.5], [-2.5, 0.5], [1.5, -2.5], [2.5, 1], [-0.5, -2]];

/** @type {(points: Matrix<Point>) => number} */
export const rank = (points) => Math.min(parallelClasses(points).length, 2);

/** @type {(n: number, r: number) => number} */
export function coverCount(n, r) {
  let sum = 0;
  for (let k = 0, term = 1; k < r; k++) {
    sum += term;
    term = (term * (n - 1 - k)) / (k + 1);
  }
  return 2 * sum;
}

// The cell that a direction points into; a wall belongs to the cell after it.
/** @type {(list: readonly Cell[], angle: number) => number} */
export function cellAt(list, angle) {
  /** @type {(cell: Cell) => boolean} */
  const inside = ({ start, stop }) => (angle - start + 720) % 360 < stop - start;
  return Math.max(list.findIndex(inside), 0);
}

/** @type {(points: Matrix<Point>, pattern: Pattern) => Point[]} */
export const maskedRows = (points, pattern) =>
  points.map((x, i) => (pattern[i] ? x : [0, 0]));

/** @type {(place: Place<State>) => () => void} */
function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "Cells of a hyperplane arrangement, with points to move",
    hint:
      "Drag the points and the diamond on the rim, or reach them with the Tab key and " +
      "press the arrow keys (with Shift: larger steps).",
  });
  const panel = frame.panel({ label: "The plane of weight vectors and samples", height: 314 });
  const plane = makePlane(panel, { x: [-4.7, 4.7], y: [-4.1, 4.1] });
  const ground = plane.layer();
  const side = frame.side("The chosen cell");
  const points = () => model.get("points");

  /** @type {(i: number, p: Point) => void} */
  const move = (i, p) => change(model, { points: points().map((x, k) => (k === i ? p : x)) });
  for (let i = 0; i < MOST; i++)
    addHandle(frame, plane, {
      name: () => `sample ${i + 1}`,
      shown: () => i < points().length,
      get: () => points()[i],
      set: (p) => move(i, p),
      fit: (p) => mapped(p, (value) => clamp(roundTo(value, GRID), -REACH, REACH)),
      text: (p) => vector(p, 3),
      step: GRID,
      size: 6,
    });
  /** @type {(angle: number) => Point} */
  const onRim = (angle) => scale(REACH, towards(angle));
  addHandle(frame, plane, {
    name: () => "direction that chooses a cell",
    get: () => onRim(model.get("angle")),
    set: (p) => change(model, { angle: roundTo(degrees(p), 0.5) % 360 }),
    fit: (p) => onRim(roundTo(degrees(p), 0.5)),
    text: () => `${short(model.get("angle"), 1)} degrees`,
    key: ([right, up], length) => onRim(model.get("angle") + (up - right) * length),
    step: 2,
    shape: "diamond",
    size: 7,
  });
  frame.button({
    label: "Add a point",
    disabled: () => points().length >= MOST,
    press: () => change(model, { points: [...points(), NEW[points().length]] }),
  });
  frame.button({
    label: "Remove the last",
    disabled: () => points().length <= 1,
    press: () => change(model, { points: points().slice(0, -1) }),
  });

  frame.draws(model, ["points", "angle"], () => {
    const X = points();
    const list = cells(X);
    const chosen = cellAt(list, model.get("angle"));
    drawPlane(plane, ground, X, list, chosen);
    drawSide(side, X, list, chosen);
    const r = rank(X);
    frame.show(
      {
        patterns: list.map((cell) => bits(cell.pattern)),
        count: list.length,
        cover: coverCount(X.length, r),
        chosen: bits(list[chosen].pattern),
        rows: maskedRows(X, list[chosen].pattern),
      },
      describe(X, list, chosen),
    );
  });
  return frame.dispose;
}

/** @type {(plane: Plane, ground: SVGGElement, X: Matrix<Point>, list: Cell[], chosen: number) => void} */
function drawPlane(plane, ground, X, list, chosen) {
  ground.replaceChildren();
  drawAxes(plane, ground);
  /** @type {(angle: number) => Point} */
  const at = (angle) => scale(REACH, towards(angle));
  list.forEach(({ start, stop }, k) => {
    const colour = `var(--${COLOURS[k % COLOURS.length]})`;
    const count = Math.max(Math.ceil((stop - start) / 3), 2);
    const arc = Array.from({ length: count + 1 }, (_, j) => at(start + ((stop - start) * j) / count));
    /** @type {Point[]} */
    const outline = stop - start < 360 ? [[0, 0], ...arc] : arc;
    svg(
      "path",
      { d: plane.path(outline, true), fill: colour, "fill-opacity": k === chosen ? 0.55 : 0.2 },
      ground,
    );
  });
  if (list.length > 1)
    for (const { start } of list)
      drawLine(plane, ground, [0, 0], at(start), {
        stroke: "var(--line)", "stroke-dasharray": "5 4", "stroke-width": 1.2,
      });
  const { start, stop } = list[chosen];
  if (stop - start < 360)
    svg("path", {
      d: plane.path([at(start), [0, 0], at(stop)]),
      fill: "none", stroke: "var(--ink)", "stroke-width": 1.6,
    }, ground);
  drawPatterns(plane, ground, list, chosen);
  X.forEach((x, i) => {
    drawArrow(plane, ground, [0, 0], x, { color: "var(--ink)" });
    const outward = isZero(x) ? [1, 1] : scale(1 / norm(x), x);
    /** @type {Point} */
    const shift = [outward[0] * 17 + outward[1] * 6, -outward[1] * 17 + outward[0] * 6];
    drawLabel(plane, ground, x, `x_${i + 1}`, { "font-weight": 600 }, shift);
  });
}

// The patterns around the rim, the chosen one first; one that has no room is left out.
/** @type {(plane: Plane, ground: SVGGElement, list: Cell[], chosen: number) => void} */
function drawPatterns(plane, ground, list, chosen) {
  const size = list[0].pattern.length > 6 ? 11 : 12.5;
  const width = list[0].pattern.length * 0.61 * size;
  /** @type {Point[]} */
  const taken = [];
  for (const k of [chosen, ...list.keys()]) {
    if (k === chosen && taken.length) continue;
    const { start, stop, pattern } = list[k];
    const [x, y] = plane.pixel(scale(3.45, towards((start + stop) / 2)));
    const side = Math.sign(Math.round((x - plane.left - plane.width / 2) / 45));
    const left = x - (width / 2) * (1 - side);
    const isFree = taken.every(([l, t]) => Math.abs(l - left) > width + 3 || Math.abs(t - y) > size + 1);
    if (!isFree) continue;
    taken.push([left, y]);
    const look = {
      class: "cnn-bits cnn-halo", x: left, y, "dominant-baseline": "central",
      "font-weight": k === chosen ? 700 : 400, style: `font-size: ${size}px`,
    };
    svg("text", look, ground).textContent = bits(pattern);
  }
}

/** @type {(side: HTMLElement, X: Matrix<Point>, list: Cell[], chosen: number) => void} */
function drawSide(side, X, list, chosen) {
  const { pattern } = list[chosen];
  side.replaceChildren();
  const table = html("table", { class: "cnn-matrix" }, side);
  const head = html("tr", {}, html("thead", {}, table));
  for (const name of ["sample", "x_i^{T}u", "row of D X"])
    typeset(html("th", { scope: "col" }, head), name);
  const body = html("tbody", {}, table);
  maskedRows(X, pattern).forEach((row, i) => {
    const line = html("tr", pattern[i] ? {} : { class: "cnn-off" }, body);
    typeset(html("th", { scope: "row" }, line), `x_${i + 1} = ${vector(X[i], 3)}`);
    html("td", {}, line, isZero(X[i]) ? "= 0" : pattern[i] ? "> 0" : "< 0");
    html("td", {}, line, vector(row, 3));
  });
  const n = X.length;
  const counts = html("table", { class: "cnn-matrix" }, side);
  const values = {
    cells: list.length,
    [`Cover: C(${n}, ${rank(X)})`]: rank(X) ? coverCount(n, rank(X)) : "–",
    [`all patterns: 2^{${n}}`]: 2 ** n,
  };
  for (const [name, value] of Object.entries(values)) {
    const line = html("tr", {}, html("tbody", {}, counts));
    typeset(html("th", { scope: "row" }, line), name);
    html("td", {}, line, String(value));
  }
}

/** @type {(X: Matrix<Point>, list: Cell[], chosen: number) => string} */
function describe(X, list, chosen) {
  const r = rank(X);
  /** @type {(i: number) => string} */
  const name = (i) => `x${i + 1}`;
  const reasons = [
    ...parallelClasses(X)
      .filter((group) => group.length > 1)
      .map((group) => `${join(group.map(name))} lie on a line through 0`),
    ...X.flatMap((x, i) => (isZero(x) ? [`${name(i)} is zero`] : [])),
  ];
  const active = list[chosen].pattern.flatMap((on, i) => (on ? [name(i)] : []));
  const general = coverCount(X.length, 2);
  const count =
    `${plural(X.length, "sample")} of rank ${r}: ${plural(list.length, "cell")}` +
    (list.length < general
      ? `, where general position would give Cover's ${general}, because ${join(reasons)}. `
      : ", as many as Cover's count. ");
  return (
    count +
    `The chosen cell has the pattern ${bits(list[chosen].pattern)}: ` +
    (active.length ? `D keeps ${join(active)}.` : "D keeps no sample.")
  );
}

export default { render };
