// @ts-check
// Gradient descent on the logistic loss, divided by the loss: the method "rescaled" of
// convexnn_lib.gradient_flow with the same steps. All that is constant is repeated in
// early_alignment.py.
/** @import { Matrix, Point, Vector } from "./mathematics.js" */
import {
  add, cells, degrees, dot, isZero, norm, scale, times, towards, transposeTimes,
} from "./mathematics.js";

/**
 * A state of the run: its neurons, a row of W each, with their second-layer weights.
 * @typedef {{ count: number, time: number, W: Matrix<Point>, a: Vector, logLoss: number }} Moment
 */
/** @typedef {{ angle: number, wall: boolean }} Attractor */

const PACE = 0.01; // the step is PACE / max |x_i|
const MOST_STEPS = 8000;
const STOP = -12; // the logarithm of the loss at which a run ends
const EVERY = 8; // steps between two records
// above this margin exp(-q) is the logistic loss to rounding
const LARGE_MARGIN = 37;

// The slope of one step, -grad L / L, and log L. W holds a neuron in each row.
/** @type {(X: Matrix<Point>, y: Vector, W: Matrix<Point>, a: Vector) => { W: Point[], a: number[], logLoss: number }} */
export function slope(X, y, W, a) {
  const inputs = W.map((w) => times(X, w));
  const margins = y.map(
    (label, i) => label * a.reduce((sum, out, k) => sum + out * Math.max(inputs[k][i], 0), 0),
  );
  // lowering all margins by a shift multiplies loss and gradient by the same number
  const least = Math.min(...margins);
  const shift = Math.max(least - LARGE_MARGIN, 0);
  const lowered = margins.map((margin) => margin - shift);
  const loss = lowered.reduce(
    (sum, q) => sum + (q > 0 ? Math.log1p(Math.exp(-q)) : Math.log1p(Math.exp(q)) - q), 0,
  );
  const lam = lowered.map((q, i) => y[i] / (1 + Math.exp(q)) / loss);
  const pulls = inputs.map((input) =>
    transposeTimes(X, lam.map((value, i) => (input[i] > 0 ? value : 0))),
  );
  return {
    W: pulls.map((pull, k) => scale(a[k], pull)),
    a: pulls.map((pull, k) => dot(pull, W[k])),
    logLoss: Math.log(loss) - shift,
  };
}

// The records of a run from unit directions (in degrees), signs and a scale.
/** @type {(X: Matrix<Point>, y: Vector, angles: Vector, signs: Vector, size: number) => Moment[]} */
export function flow(X, y, angles, signs, size) {
  let W = angles.map((angle) => scale(size, towards(angle)));
  let a = signs.map((sign) => sign * size);
  const step = PACE / Math.max(...X.map(norm));
  /** @type {Moment[]} */
  const records = [];
  for (let count = 0; ; count++) {
    const move = slope(X, y, W, a);
    const last = count === MOST_STEPS || move.logLoss <= STOP;
    if (last || count % EVERY === 0)
      records.push({ count, time: count * step, W, a, logLoss: move.logLoss });
    if (last) return records;
    W = W.map((w, k) => add(w, scale(step, move.W[k])));
    a = a.map((out, k) => out + step * move.a[k]);
  }
}

// The cosine of the angle between w and s X^T D y, D the pattern of w; null where this is
// zero, as it is for a neuron that no sample activates.
/** @type {(X: Matrix<Point>, y: Vector, w: Point, sign: number) => number | null} */
export function alignment(X, y, w, sign) {
  const pull = scale(sign, transposeTimes(X, y.map((label, i) => (dot(X[i], w) > 0 ? label : 0))));
  return isZero(pull) ? null : dot(pull, w) / (norm(pull) * norm(w));
}
/** @type {(X: Matrix<Point>, w: Point) => boolean} */
export const isLive = (X, w) => times(X, w).some((value) => value > 0);

// Where neurons of one sign end up turning at scale zero: angles theta at which the
// turning s X^T D y . t(theta) changes from plus to minus while the neuron grows.
// "wall" says that this is on the tie of a sample, where D is fractional.
/** @type {(X: Matrix<Point>, y: Vector, sign: number) => Attractor[]} */
export function attractors(X, y, sign) {
  const list = cells(X);
  const pulls = list.map(({ pattern }) =>
    scale(sign, transposeTimes(X, y.map((label, i) => (pattern[i] && !isZero(X[i]) ? label : 0)))),
  );
  /** @type {Attractor[]} */
  const found = [];
  list.forEach(({ start, stop }, k) => {
    const pull = pulls[k];
    const inside = (degrees(pull) - start + 720) % 360;
    if (norm(pull) > 1e-12 && inside > 0 && inside < stop - start)
      found.push({ angle: degrees(pull), wall: false });
    if (list.length === 1) return;
    const before = pulls[(k + list.length - 1) % list.length];
    const turning = towards(start + 90);
    if (dot(pull, towards(start)) > 1e-12 && dot(before, turning) >= 0 && dot(pull, turning) <= 0)
      found.push({ angle: start, wall: true });
  });
  return found;
}
