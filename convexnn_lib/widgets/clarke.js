// @ts-check
// Clarke's subdifferential of a network with one neuron, which moves through kinks.
/** @import { Place } from "./parts/frame.js" */
/** @import { Matrix, Pattern, Point, Vector } from "./parts/mathematics.js" */
import { svg } from "./parts/elements.js";
import { change, makeFrame, same } from "./parts/frame.js";
import { drawLandscape } from "./parts/levels.js";
import {
  add, cells, convexHull, dot, isZero, linspace, mapped, nearestInPolygon, norm, relu,
  roundTo, scale, times, transposeTimes,
} from "./parts/mathematics.js";
import {
  addHandle, COLOUR, drawAxes, drawLabel, drawLine, drawMark, drawTicks, makePlane,
} from "./parts/plane.js";
import { bits, format, join, vector } from "./parts/words.js";

/** @typedef {{ X: Matrix<Point>, y: Vector, beta: number, neuron: Point, output: number }} State */
/** @typedef {Pick<State, "X" | "y" | "beta">} Problem */
/** @typedef {ReturnType<typeof subdifferential>} Subdifferential */

// One neuron (w1, w2), the loss half the sum of squares, the penalty beta/2 times the
// squared weights.
const REACH = 2;
const GRID = 1 / 16; // binary: ties are exact for small integer samples
const RADII = [1.5, 3, 6, 12, 25, 50, 100, 1000];
/** @type {readonly Point[]} */
const TALK = [[1, 1], [0, 1], [1, -1]];
/** @type {Readonly<Record<string, Vector>>} */
const LABELS = { concave: [1.25, 1, 1.75], convex: [1.7, -4, 1.3] };

/** @type {(problem: Problem, w1: Point, w2: number) => number} */
export function neuronObjective({ X, y, beta }, w1, w2) {
  const errors = relu(times(X, w1)).map((value, i) => w2 * value - y[i]);
  return 0.5 * dot(errors, errors) + (beta / 2) * (dot(w1, w1) + w2 * w2);
}

// The numbers of the nonzero samples that the neuron is orthogonal to.
/** @type {(X: Matrix<Point>, w1: Point) => number[]} */
export const ties = (X, w1) =>
  X.flatMap((x, i) =>
    !isZero(x) && Math.abs(dot(x, w1)) <= 1e-12 * norm(x) * norm(w1) ? [i] : [],
  );

// The patterns of the open cells whose closures contain w1: all of them at 0, two at
// other ties (all tied samples are parallel), one where nothing is tied.
/** @type {(X: Matrix<Point>, w1: Point) => Pattern[]} */
export function adjacentPatterns(X, w1) {
  if (isZero(w1)) return cells(X).map((cell) => cell.pattern);
  const tied = ties(X, w1);
  /** @type {Point} */
  const across = [-w1[1], w1[0]];
  const sides = tied.length ? [1, -1] : [1];
  return sides.map((side) =>
    X.map((x, i) => (tied.includes(i) ? side * dot(x, across) > 0 : dot(x, w1) >= 0)),
  );
}

// Clarke's subdifferential: the hull of the limits of gradients in w1, times the
// derivative in w2; its element of least norm; the slopes across w1.
/** @param {Problem} problem @param {Point} w1 @param {number} w2 */
export function subdifferential(problem, w1, w2) {
  const { X, y, beta } = problem;
  const features = relu(times(X, w1));
  const g = features.map((value, i) => w2 * value - y[i]);
  const patterns = adjacentPatterns(X, w1);
  const limits = patterns.map((pattern) =>
    add(scale(beta, w1), scale(w2, transposeTimes(X, g.map((value, i) => (pattern[i] ? value : 0))))),
  );
  const corners = convexHull(limits);
  const nearest = nearestInPolygon([0, 0], corners);
  const second = beta * w2 + dot(g, features);
  const direction = acrossNeuron(w1);
  /** @type {(p: Point) => number} */
  const slope = (p) => {
    const moved = X.map((x) => dot(x, p));
    const tied = ties(X, w1);
    const pattern = X.map((x, i) => (tied.includes(i) ? moved[i] > 0 : dot(x, w1) > 0));
    const step = g.map((value, i) => (pattern[i] ? value * moved[i] : 0));
    return beta * dot(w1, p) + w2 * step.reduce((sum, value) => sum + value, 0);
  };
  return {
    patterns, limits, corners, nearest, second,
    distance: norm(nearest),
    total: Math.hypot(norm(nearest), second),
    slopes: [slope(direction), slope(scale(-1, direction))],
    size: Math.max(...limits.map(norm), Math.abs(beta * w2), 1e-3),
  };
}

// The unit vector across the ray of the neuron.
/** @type {(w1: Point) => Point} */
export const acrossNeuron = (w1) =>
  isZero(w1) ? [0, 1] : [-w1[1] / norm(w1), w1[0] / norm(w1)];

/** @type {(place: Place<State>) => () => void} */
function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "Clarke's subdifferential of one neuron, with the neuron to move",
    hint:
      "Drag the neuron across the dashed lines, or focus it and press the arrow keys (with " +
      "Shift: larger steps). It rests on a grid that contains points of the lines.",
  });
  const left = frame.panel({ label: "The plane of the first-layer weight", title: "The neuron w_1" });
  const right = frame.panel({ label: "The subdifferential", title: "Its subdifferential in w_1" });
  const weights = makePlane(left, { x: [-REACH, REACH], y: [-REACH, REACH], left: 14, top: 6, width: 332, height: 332 });
  const heights = { top: 6, left: 10, width: 340 };
  const ground = weights.layer();
  const marks = weights.layer();
  const rightLayer = svg("g", { "aria-hidden": "true" }, right);
  for (const panel of [left, right]) panel.setAttribute("viewBox", "0 0 360 346");

  const problem = () => ({ X: model.get("X"), y: model.get("y"), beta: model.get("beta") });
  addHandle(frame, weights, {
    name: () => "neuron",
    get: () => model.get("neuron"),
    set: (neuron) => change(model, { neuron }),
    fit: (p) => mapped(p, (value) => roundTo(value, GRID)),
    text: (p) => vector(p, 4),
    step: GRID,
    colour: () => COLOUR[model.get("output") < 0 ? -1 : 1],
  });
  frame.slider({
    label: "second-layer weight",
    symbol: "w_2",
    low: -2, high: 2, step: 0.05,
    get: () => model.get("output"),
    set: (output) => change(model, { output }),
  });
  const talk = () => same(model.get("X"), TALK);
  const kind = () => Object.keys(LABELS).find((name) => talk() && same(model.get("y"), LABELS[name])) ?? "own";
  /** @type {(readonly [string, string])[]} */
  const options = [["concave", "a concave kink"], ["convex", "a convex kink"]];
  if (kind() === "own") options.push(["own", "the notebook's labels"]);
  const own = { X: model.get("X"), y: model.get("y") };
  frame.choice({
    label: "Labels with",
    options,
    get: kind,
    set: (name) =>
      change(model, {
        ...(name === "own" ? own : { X: TALK, y: LABELS[name] }),
        neuron: [1, 0],
        output: 1,
      }),
  });

  /** @type {unknown} */
  let drawn = null;
  frame.draws(model, ["X", "y", "beta", "neuron", "output"], () => {
    const given = problem();
    const w1 = model.get("neuron");
    const w2 = model.get("output");
    const set = subdifferential(given, w1, w2);
    const key = [given, w2];
    if (!same(key, drawn)) drawGround(given, w2);
    drawn = key;
    marks.replaceChildren();
    const across = acrossNeuron(w1);
    drawLine(weights, marks, add(w1, scale(-0.45, across)), add(w1, scale(0.45, across)), {
      stroke: "var(--ink)", "stroke-width": 1.4, "stroke-dasharray": "1 3",
    });
    rightLayer.replaceChildren();
    drawSet(set);
    drawProfile(given, w1, w2, set);
    const values = {
      objective: neuronObjective(given, w1, w2),
      ties: ties(given.X, w1),
      corners: set.corners,
      nearest: set.nearest,
      second: set.second,
      distance: set.distance,
      total: set.total,
      slopes: set.slopes,
    };
    frame.show(values, describe(values, set, w1));
  });

  /** @type {(given: Problem, w2: number) => void} */
  function drawGround(given, w2) {
    ground.replaceChildren();
    /** @type {(a: number, b: number) => number} */
    const f = (a, b) => neuronObjective(given, [a, b], w2);
    const grid = linspace(-REACH, REACH, 41);
    const values = grid.flatMap((a) => grid.map((b) => f(a, b))).sort((a, b) => a - b);
    // denser near the lowest value
    const [low, high] = [values[0], values[Math.floor(0.9 * values.length)]];
    const levels = linspace(0.05, 1, 11).map((share) => low + (high - low) * share ** 1.6);
    drawLandscape(weights, ground, f, levels, "var(--blue)");
    drawAxes(weights, ground);
    given.X.forEach((x, i) => {
      if (isZero(x)) return;
      const length = REACH / Math.max(...x.map(Math.abs));
      /** @type {Point} */
      const ray = [-length * x[1], length * x[0]];
      drawLine(weights, ground, scale(-1, ray), ray, {
        stroke: "var(--ink)", "stroke-dasharray": "6 4", "stroke-width": 1.1,
      });
      const end = ray[0] < 0 || (ray[0] === 0 && ray[1] < 0) ? scale(-1, ray) : ray;
      const place = scale(0.86, end);
      // beside its line
      /** @type {Point} */
      const beside = scale((end[1] < 0 ? -13 : 13) / norm(end), [end[1], end[0]]);
      drawLabel(weights, ground, place, `x_${i + 1}`, { class: "cnn-halo", "font-weight": 600 }, beside);
    });
  }

  /** @type {(set: Subdifferential) => void} */
  function drawSet(set) {
    const radius = RADII.find((r) => r > 1.1 * Math.max(...set.limits.map(norm))) ?? 1e4;
    const height = 210;
    const wide = (radius * heights.width) / height;
    const plane = makePlane(right, { x: [-wide, wide], y: [-radius, radius], ...heights, height });
    const clip = `M${heights.left},${heights.top}h${heights.width}v${height}h${-heights.width}z`;
    svg("path", { d: clip, fill: "none", stroke: "var(--faint)" }, rightLayer);
    drawAxes(plane, rightLayer);
    const tick = radius / (radius === 25 ? 2.5 : 3) || 1;
    drawTicks(plane, rightLayer, [-2 * tick, 2 * tick], [-2 * tick, 2 * tick], 1);
    const stroke = { stroke: "var(--vermilion)", "stroke-width": 4, "stroke-linejoin": "round", "stroke-linecap": "round" };
    if (set.corners.length > 1)
      svg("path", { d: plane.path(set.corners, true), ...stroke, fill: "var(--vermilion)", "fill-opacity": 0.25 }, rightLayer);
    const inside = set.distance <= 1e-9 * set.size;
    if (!inside)
      drawLine(plane, rightLayer, [0, 0], set.nearest, { stroke: "var(--ink)", "stroke-width": 2, "stroke-dasharray": "3 3" });
    set.limits.forEach((limit, k) => {
      drawMark(plane, rightLayer, limit, "circle", 5, { fill: "var(--vermilion)", stroke: "var(--paper)" });
      if (set.limits.length > 2) return;
      // beside a steep segment, above a flat one
      const [p, q] = [set.limits[0], set.limits[set.limits.length - 1]];
      const flat = Math.abs(p[0] - q[0]) > Math.abs(p[1] - q[1]);
      const look = { class: "cnn-bits cnn-halo", "text-anchor": flat ? "middle" : "start" };
      const label = drawLabel(plane, rightLayer, limit, "", look, flat ? [0, -15] : [11, 0]);
      label.textContent = bits(set.patterns[k]);
    });
    drawMark(plane, rightLayer, [0, 0], "cross", 5, { stroke: inside ? "var(--green)" : "var(--ink)", "stroke-width": 3 });
    if (inside)
      drawMark(plane, rightLayer, [0, 0], "circle", 11, { stroke: "var(--green)", "stroke-width": 2.5, fill: "none" });
    const text = svg("text", { x: heights.left + 8, y: heights.top + 20, "font-weight": 600 }, rightLayer);
    text.textContent = inside ? "0 is in the set" : `0 is not in it: distance ${format(set.distance, 3)}`;
  }

  /** @type {(given: Problem, w1: Point, w2: number, set: Subdifferential) => void} */
  function drawProfile(given, w1, w2, set) {
    const across = acrossNeuron(w1);
    const shift = linspace(-0.5, 0.5, 101);
    const values = shift.map((t) => neuronObjective(given, add(w1, scale(t, across)), w2));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = 0.12 * (high - low) + 1e-6;
    const plane = makePlane(right, {
      x: [-0.5, 0.5], y: [low - margin, high + margin],
      left: heights.left, top: 232, width: heights.width, height: 108,
    });
    svg("path", { d: `M${plane.left},${plane.top}h${plane.width}v${plane.height}h${-plane.width}z`, fill: "none", stroke: "var(--faint)" }, rightLayer);
    const here = neuronObjective(given, w1, w2);
    drawLine(plane, rightLayer, [0, low - margin], [0, high + margin], { stroke: "var(--faint)" });
    [1, -1].forEach((side, k) => {
      // the tangent as far as it stays in the box
      const slope = set.slopes[k];
      const room = slope > 0 ? high + margin - here : here - low + margin;
      const length = Math.min(0.28, slope ? room / Math.abs(slope) : 1);
      drawLine(plane, rightLayer, [0, here], [side * length, here + length * slope], {
        stroke: "var(--vermilion)", "stroke-width": 2, "stroke-dasharray": "6 4",
      });
    });
    svg("path", { d: plane.path(shift.map((t, k) => [t, values[k]])), stroke: "var(--blue)", "stroke-width": 2, fill: "none" }, rightLayer);
    for (const [text, place, anchor] of /** @type {const} */ ([
      [`← slope ${format(set.slopes[1], 2)}`, 6, "start"],
      [`slope ${format(set.slopes[0], 2)} →`, plane.width - 6, "end"],
    ]))
      svg("text", {
        class: "cnn-name cnn-halo", x: plane.left + place, y: plane.top + 16, "text-anchor": anchor,
      }, rightLayer).textContent = text;
    const name = { class: "cnn-name cnn-halo", x: plane.left + plane.width / 2, y: plane.top + 16, "text-anchor": "middle" };
    svg("text", name, rightLayer).textContent = "objective";
    drawMark(plane, rightLayer, [0, here], "circle", 5, { fill: "var(--blue)", stroke: "var(--paper)" });
  }
  return frame.dispose;
}

/**
 * @param {Pick<Subdifferential, "total" | "distance" | "second" | "slopes"> & { ties: number[] }} values
 * @param {Subdifferential} set
 * @param {Point} w1
 */
function describe({ ties: tied, total, distance, second, slopes }, set, w1) {
  /** @type {(value: number) => boolean} */
  const small = (value) => Math.abs(value) <= 1e-9 * set.size;
  const names = join(tied.map((i) => `x${i + 1}`));
  const ends = [...set.corners].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const shape =
    ends.length === 1
      ? `the point ${vector(ends[0])}`
      : ends.length === 2
        ? `the segment from ${vector(ends[0])} to ${vector(ends[1])}`
        : `a polygon with ${ends.length} corners`;
  const where = isZero(w1)
    ? "At w1 = 0, where all cells meet, "
    : tied.length
      ? `w1 = ${vector(w1, 4)} is tied to ${names}: `
      : `w1 = ${vector(w1, 4)} lies in an open cell: `;
  const part = `the set in w1 is ${shape}, ${small(distance) ? "and 0 is in it" : `at distance ${format(distance, 3)} from 0`}. `;
  const rest = small(second)
    ? "The derivative in w2 is 0"
    : `The derivative in w2 is ${format(second, 3)}`;
  const falls = slopes.some((slope) => slope < -1e-9 * set.size);
  const end = small(total)
    ? ": the neuron is Clarke stationary" +
      (falls
        ? ", yet the objective falls across the line: no local minimum."
        : tied.length && slopes.every((slope) => slope > 1e-9 * set.size)
          ? ", and the objective rises to both sides."
          : ".")
    : `, so 0 has distance ${format(total, 3)} from the whole subdifferential.`;
  return where + part + rest + end;
}

export default { render };
