// @ts-check
// The zonotopes of a dual point and their Hausdorff distance, with samples to move.
/** @import { Place } from "./parts/frame.js" */
/** @import { Matrix, Point, Vector } from "./parts/mathematics.js" */
/** @import { Plane, Shape } from "./parts/plane.js" */
import { svg } from "./parts/elements.js";
import { change, makeFrame } from "./parts/frame.js";
import {
  add, cells, clamp, convexHull, dot, isZero, mapped, nearestInPolygon, norm, ORIGIN, relu,
  roundTo, scale, subtract, times,
} from "./parts/mathematics.js";
import {
  addHandle, COLOUR, drawArrow, drawAxes, drawLabel, drawLine, drawMark, makePlane, SHAPE,
} from "./parts/plane.js";
import { format, join, plural, vector } from "./parts/words.js";

/** @typedef {{ X: Matrix<Point>, lam: Vector }} State */
/**
 * A Hausdorff distance: the corner that attains it, which is of the zonotope of this sign,
 * and the nearest point of the other one.
 * @typedef {{ value: number, point: Point, nearest: Point, sign: number }} Attained
 */
/** @typedef {Attained & { u: Point, plus: Point[], minus: Point[] }} Distance */

const STEP = 0.05;
const REACH = 2;
const MOST = 6;

// Corners of the zonotope sum [0, g_i], counterclockwise: one for each pattern.
/** @type {(generators: Matrix<Point>) => Point[]} */
export function zonotope(generators) {
  const nonzero = generators.filter((g) => !isZero(g));
  if (!nonzero.length) return [ORIGIN];
  const sums = cells(nonzero).map(({ pattern }) =>
    nonzero.reduce((sum, g, i) => (pattern[i] ? add(sum, g) : sum), ORIGIN),
  );
  return convexHull(sums);
}

/** @type {(X: Matrix<Point>, lam: Vector, sign: number) => Point[]} */
export const generatorsOf = (X, lam, sign) =>
  X.flatMap((x, i) => (sign * lam[i] > 0 ? [scale(sign * lam[i], x)] : []));

// The Hausdorff distance of the zonotopes of lambda, and where it is attained. The
// distance from a convex set is convex, so that only corners can be farthest.
/** @type {(X: Matrix<Point>, lam: Vector) => Distance} */
export function zonotopeDistance(X, lam) {
  const plus = zonotope(generatorsOf(X, lam, 1));
  const minus = zonotope(generatorsOf(X, lam, -1));
  /** @type {(sign: number, from: Point[], to: Point[]) => Attained[]} */
  const distances = (sign, from, to) =>
    from.map((point) => {
      const nearest = nearestInPolygon(point, to);
      return { value: norm(subtract(point, nearest)), point, nearest, sign };
    });
  const best = [...distances(1, plus, minus), ...distances(-1, minus, plus)].reduce(
    (first, next) => (next.value > first.value ? next : first),
  );
  const { value, point, nearest } = best;
  /** @type {Point} */
  const u = value > 0 ? scale(1 / value, subtract(point, nearest)) : [1, 0];
  return { ...best, u, plus, minus };
}

// What the neuron u contributes: lambda^T (X u)_+.
/** @type {(X: Matrix, lam: Vector, u: Vector) => number} */
export const activationValue = (X, lam, u) => dot(lam, relu(times(X, u)));

/** @type {(place: Place<State>) => () => void} */
function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "Two zonotopes and their Hausdorff distance, with samples to move",
    hint:
      "Drag the samples, or focus one and press the arrow keys (with Shift: larger steps); " +
      "the sliders set the entries of λ, whose signs choose the zonotope.",
  });
  const left = frame.panel({ label: "The samples", title: "Samples x_i, and the neuron u" });
  const right = frame.panel({ label: "The zonotopes", title: "Zonotopes of λ" });
  const data = makePlane(left, { x: [-2.3, 2.3], y: [-2.3, 2.3] });
  const ground = data.layer();
  const X = () => model.get("X");
  const lam = () => model.get("lam");
  /** @type {(i: number) => string} */
  const colour = (i) => COLOUR[Math.sign(lam()[i])] ?? "var(--grey)";
  /** @type {(i: number) => Shape} */
  const shape = (i) => SHAPE[Math.sign(lam()[i])] ?? "diamond";
  for (let i = 0; i < MOST; i++) {
    const there = () => i < X().length;
    addHandle(frame, data, {
      name: () => `sample ${i + 1}`,
      shown: there,
      get: () => X()[i],
      set: (p) => change(model, { X: X().map((x, k) => (k === i ? p : x)) }),
      fit: (p) => mapped(p, (value) => clamp(roundTo(value, STEP), -REACH, REACH)),
      colour: () => colour(i),
      shape: () => shape(i),
      step: STEP,
      size: 6,
    });
  }
  for (let i = 0; i < X().length; i++)
    frame.slider({
      label: `lambda ${i + 1}`,
      symbol: `λ_${i + 1}`,
      low: -1, high: 1, step: 0.05,
      get: () => lam()[i],
      set: (value) => change(model, { lam: lam().map((old, k) => (k === i ? value : old)) }),
    });
  const layer = svg("g", { "aria-hidden": "true" }, right);

  frame.draws(model, ["X", "lam"], () => {
    const found = zonotopeDistance(X(), lam());
    ground.replaceChildren();
    drawAxes(data, ground);
    X().forEach((x, i) => {
      drawArrow(data, ground, [0, 0], x, { color: colour(i) });
      const outward = isZero(x) ? [1, 1] : scale(1 / norm(x), x);
      /** @type {Point} */
      const shift = [outward[0] * 16 + outward[1] * 6, -outward[1] * 16 + outward[0] * 6];
      drawLabel(data, ground, x, `x_${i + 1}`, { "font-weight": 600 }, shift);
    });
    if (found.value > 0) {
      drawArrow(data, ground, [0, 0], scale(1.2, found.u), { color: "var(--ink)", "stroke-dasharray": "5 3" });
      /** @type {Point} */
      const beside = [-found.u[1] * 13, -found.u[0] * 13];
      drawLabel(data, ground, scale(1.2, found.u), "u", {}, beside);
    }
    drawZonotopes(found);
    const values = {
      value: found.value, point: found.point, nearest: found.nearest, sign: found.sign,
      u: found.u, plus: found.plus, minus: found.minus,
      attained: activationValue(X(), lam(), found.u),
    };
    frame.show(values, describe(values, lam()));
  });

  /** @type {(distance: Distance) => void} */
  function drawZonotopes({ plus, minus, point, nearest, value, sign }) {
    layer.replaceChildren();
    const all = [...plus, ...minus, ORIGIN];
    /** @type {(k: number) => Point} */
    const range = (k) => [Math.min(...all.map((p) => p[k])), Math.max(...all.map((p) => p[k]))];
    const [xs, ys] = [range(0), range(1)];
    // steps of one half: the picture does not breathe while a sample moves
    const half = Math.ceil(2 * Math.max(0.62 * Math.max(xs[1] - xs[0], ys[1] - ys[0]), 0.5)) / 2;
    const middle = [roundTo((xs[0] + xs[1]) / 2, 0.25), roundTo((ys[0] + ys[1]) / 2, 0.25)];
    const plane = makePlane(right, {
      x: [middle[0] - half, middle[0] + half],
      y: [middle[1] - half, middle[1] + half],
    });
    drawAxes(plane, layer);
    for (const { corners, other, name, side } of [
      { corners: plus, other: minus, name: "Z_+", side: 1 },
      { corners: minus, other: plus, name: "Z_−", side: -1 },
    ]) {
      const tint = COLOUR[side];
      const look = {
        fill: tint, "fill-opacity": 0.2, stroke: tint, "stroke-width": 2, "stroke-dasharray": side > 0 ? null : "7 4",
        "stroke-linejoin": "round",
      };
      svg("path", { d: plane.path(corners, true), ...look }, layer);
      for (const corner of corners)
        drawMark(plane, layer, corner, SHAPE[side], 2.6, { fill: tint });
      if (corners.length > 1) drawName(plane, corners, other, name, tint);
    }
    drawMark(plane, layer, [0, 0], "cross", 4, { stroke: "var(--ink)", "stroke-width": 2 });
    if (value === 0) return;
    drawLine(plane, layer, point, nearest, { stroke: "var(--ink)", "stroke-width": 3 });
    drawMark(plane, layer, point, "circle", 5, { fill: "var(--ink)", stroke: "var(--paper)" });
    drawMark(plane, layer, nearest, "circle", 5, { fill: "var(--paper)", stroke: "var(--ink)", "stroke-width": 2 });
    /** @type {Point} */
    const across = [point[1] - nearest[1], point[0] - nearest[0]];
    const label = drawLabel(
      plane, layer, scale(0.5, add(point, nearest)), format(value, 3),
      { class: "cnn-halo", "font-weight": 700 }, scale(26 / norm(across), across),
    );
    label.dataset.sign = String(sign);
  }

  // outside, at the middle of the edge that is farthest from the other zonotope
  /** @type {(plane: Plane, corners: Point[], other: Point[], name: string, tint: string) => void} */
  function drawName(plane, corners, other, name, tint) {
    /** @type {(list: Point[]) => Point} */
    const centre = (list) =>
      scale(1 / list.length, list.reduce((sum, p) => add(sum, p), ORIGIN));
    const middles = corners.map((a, k) => scale(0.5, add(a, corners[(k + 1) % corners.length])));
    const far = middles.map((p) => norm(subtract(p, centre(other))));
    const place = middles[far.indexOf(Math.max(...far))];
    const outward = subtract(place, centre(corners));
    const length = norm(outward) || 1;
    /** @type {Point} */
    const shift = [(16 / length) * outward[0], (-16 / length) * outward[1]];
    drawLabel(plane, layer, place, name, { style: `fill: ${tint}`, "font-weight": 700 }, shift);
  }
  return frame.dispose;
}

/** @type {(shown: Distance, lam: Vector) => string} */
function describe({ value, point, nearest, sign, u, plus, minus }, lam) {
  if (value === 0) return "Both zonotopes are the same: their Hausdorff distance M(λ) is 0.";
  /** @type {(s: number) => string} */
  const side = (s) => join(lam.flatMap((l, i) => (s * l > 0 ? [`x${i + 1}`] : []))) || "no sample";
  const [own, other] = sign > 0 ? ["Z+", "Z−"] : ["Z−", "Z+"];
  return (
    `Z+ of ${side(1)} has ${plural(plus.length, "corner")}, Z− of ${side(-1)} has ${minus.length}. ` +
    `Their Hausdorff distance M(λ) is ${format(value, 3)}, from the corner ${vector(point)} of ` +
    `${own} to ${vector(nearest)} in ${other}. The neuron u = ${vector(u)} attains the dual norm.`
  );
}

export default { render };
