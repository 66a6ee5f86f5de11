// @ts-check
// Pictures of a network with one feature and a bias, and of its certificate.
/** @import { Matrix, Point, Vector } from "./mathematics.js" */
/** @import { Plane } from "./plane.js" */
/** @import { Certified, Neuron } from "./training.js" */
import { svg } from "./elements.js";
import { clamp, dot } from "./mathematics.js";
import { COLOUR, drawAxes, drawLabel, drawLine, drawMark, SHAPE } from "./plane.js";
import { arcsOf, atAngle, feature, TURN } from "./training.js";
import { short } from "./words.js";

// One feature and a bias: the function, its kinks, and the residuals, which are lambda.
/** @type {(plane: Plane, layer: SVGGElement, X: Matrix<Point>, y: Vector, result: { neurons: readonly Neuron[], outputs: Vector }) => void} */
export function drawFit(plane, layer, X, y, { neurons, outputs }) {
  drawAxes(plane, layer, ["x", "y"]);
  /** @type {(x: number) => number} */
  const f = (x) => neurons.reduce((sum, { u, sign }) => sum + sign * Math.max(u[0] * x + u[1], 0), 0);
  X.forEach(([x], i) => {
    const top = clamp(outputs[i], ...plane.y);
    drawLine(plane, layer, [x, y[i]], [x, top], { stroke: "var(--line)", "stroke-width": 1.5 });
  });
  const kinks = neurons.map(({ u }) => (u[0] === 0 ? NaN : -u[1] / u[0]));
  const inside = kinks.filter((x) => x > plane.x[0] && x < plane.x[1]);
  const xs = [plane.x[0], ...inside.sort((a, b) => a - b), plane.x[1]];
  svg(
    "path",
    {
      d: plane.path(cut(xs.map((x) => /** @type {const} */ ([x, f(x)])), plane.y)),
      fill: "none", stroke: "var(--green)", "stroke-width": 2.5, "stroke-linejoin": "round",
    },
    layer,
  );
  // several neurons may bend the function at the same place
  /** @type {number[]} */
  const seen = [];
  neurons.forEach(({ sign }, k) => {
    /** @type {Point} */
    const p = [kinks[k], f(kinks[k])];
    if (!(Math.abs(p[0]) <= plane.x[1] && Math.abs(p[1]) <= plane.y[1])) return;
    const near = seen.filter((x) => Math.abs(x - p[0]) < 0.12).length;
    seen.push(p[0]);
    drawMark(plane, layer, p, SHAPE[sign], 4, { fill: COLOUR[sign], stroke: "var(--paper)" });
    drawLabel(plane, layer, p, `${k + 1}`, { fill: COLOUR[sign], class: "cnn-name" }, [12 * near, 15]);
  });
}

// The part of a polyline between two heights; it leaves and enters at most at its ends.
/** @type {(points: Point[], range: Point) => Point[]} */
function cut(points, [low, high]) {
  /** @type {Point[]} */
  const kept = [];
  points.forEach((q, k) => {
    if (k > 0) {
      const p = points[k - 1];
      for (const level of p[1] < q[1] ? [low, high] : [high, low])
        if ((p[1] - level) * (q[1] - level) < 0) {
          const t = (level - p[1]) / (q[1] - p[1]);
          kept.push([p[0] + t * (q[0] - p[0]), level]);
        }
    }
    kept.push([q[0], clamp(q[1], low, high)]);
  });
  return kept;
}

// lambda^T (X u)_+ / beta around the circle; at an optimum it stays between -1 and 1. The
// plane's heights are those of the curve.
/** @type {(plane: Plane, layer: SVGGElement, X: Matrix<Point>, beta: number, result: Certified) => void} */
export function drawProof(plane, layer, X, beta, { neurons, lam }) {
  /** @type {Point[]} */
  const band = [[0, -1], [360, -1], [360, 1], [0, 1]];
  svg("path", { d: plane.path(band, true), fill: "var(--green)", "fill-opacity": 0.1 }, layer);
  const [low, high] = plane.y;
  // three numbers need room beside each other
  const apart = plane.height / (high - low) > 14;
  for (const level of [-1, 0, 1]) {
    drawLine(plane, layer, [0, level], [360, level], {
      class: "cnn-axis", stroke: null, style: level ? "stroke: var(--green)" : null,
    });
    if (apart || level === 0)
      drawLabel(plane, layer, [0, level], apart ? short(level) : "±1", { "text-anchor": "end", class: "cnn-name" }, [-6, 0]);
  }
  for (const degrees of [0, 90, 180, 270, 360])
    drawLabel(plane, layer, [degrees, low], `${degrees}°`, { class: "cnn-name" }, [0, 14]);
  drawLabel(plane, layer, [180, low], "angle of u", { class: "cnn-name" }, [0, 30]);
  const arcs = arcsOf(X);
  for (const { from } of arcs)
    drawLine(plane, layer, [(from * 360) / TURN, 0.92 * low], [(from * 360) / TURN, 0.92 * high], {
      stroke: "var(--faint)", "stroke-width": 1, "stroke-dasharray": "2 3",
    });
  /** @type {number[]} */
  const points = [];
  for (let degrees = 0; degrees <= 360; degrees += 1.5) points.push(degrees);
  for (const { from } of arcs) points.push((from * 360) / TURN);
  points.sort((a, b) => a - b);
  /** @type {Point[]} */
  const curve = points.map((degrees) => [
    degrees, dot(lam, feature(X, atAngle((degrees * TURN) / 360))) / beta,
  ]);
  svg("path", { d: plane.path(curve), fill: "none", stroke: "var(--ink)", "stroke-width": 2 }, layer);
  neurons.forEach(({ u, sign }, k) => {
    const degrees = ((Math.atan2(u[1], u[0]) + TURN) % TURN) * (360 / TURN);
    drawMark(plane, layer, [degrees, sign], SHAPE[sign], 5.5, { fill: COLOUR[sign], stroke: "var(--paper)" });
    drawLabel(plane, layer, [degrees, sign], `${k + 1}`, { fill: COLOUR[sign] }, [0, -18 * sign]);
  });
}
