// @ts-check
// The rectified ellipsoid of at most three samples, its hull and its polar set.
/** @import { Matrix, Point, Vector } from "./mathematics.js" */
import {
  add, clamp, cross, degrees, dot, inPlane, linspace, mapped, norm, relu, scale, subtract, times,
} from "./mathematics.js";

/** @template {Vector} V @typedef {{ value: number, sign: number, u: V }} Extreme */

// M(lambda) = max |lambda^T (X u)_+| over unit vectors u, for at most three samples in
// any dimension, with a u and the sign of lambda^T (X u)_+: the largest distance of a
// vertex of one zonotope from the other one.
/** @type {<V extends Vector>(X: Matrix<V>, lam: Vector) => Extreme<V>} */
export function dualNorm(X, lam) {
  const zero = mapped(X[0], () => 0);
  let best = { value: 0, sign: 1, u: mapped(zero, (_, j) => (j === 0 ? 1 : 0)) };
  for (const sign of [1, -1]) {
    /** @param {number} side */
    const weighted = (side) =>
      X.flatMap((x, i) => (sign * side * lam[i] > 0 ? [scale(Math.abs(lam[i]), x)] : []));
    const [plus, minus] = [weighted(1), weighted(-1)];
    for (let corner = 1; corner < 1 << plus.length; corner++) {
      const vertex = plus.reduce((sum, x, k) => ((corner >> k) & 1 ? add(sum, x) : sum), zero);
      const gap = gapTo(vertex, minus);
      if (norm(gap) > best.value)
        best = { value: norm(gap), sign, u: scale(1 / norm(gap), gap) };
    }
  }
  return best;
}

// The shortest of the vectors z - sum_k t_k a_k with 0 <= t_k <= 1, for at most two a_k.
/** @type {<V extends Vector>(z: V, generators: readonly V[]) => V} */
function gapTo(z, generators) {
  /** @param {typeof z} v @param {typeof z} a */
  const along = (v, a) => {
    const square = dot(a, a);
    return square > 0 ? subtract(v, scale(clamp(dot(v, a) / square, 0, 1), a)) : v;
  };
  if (generators.length === 0) return z;
  if (generators.length === 1) return along(z, generators[0]);
  const [a, b] = generators;
  const tried = [along(z, a), along(subtract(z, b), a), along(z, b), along(subtract(z, a), b)];
  const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
  const determinant = aa * bb - ab * ab;
  if (determinant > 1e-14 * aa * bb) {
    const s = (bb * dot(a, z) - ab * dot(b, z)) / determinant;
    const t = (aa * dot(b, z) - ab * dot(a, z)) / determinant;
    tried.push(subtract(subtract(z, scale(clamp(s, 0, 1), a)), scale(clamp(t, 0, 1), b)));
  }
  const lengths = tried.map(norm);
  return tried[lengths.indexOf(Math.min(...lengths))];
}

/** @type {(X: Matrix, u: Vector) => number[]} */
export const feature = (X, u) => relu(times(X, u));

// The point of the hull of the rectified ellipsoid and its mirror image that is farthest
// in the direction lambda.
/** @type {(X: Matrix, lam: Vector) => number[]} */
export const supportPoint = (X, lam) => outputOf(X, dualNorm(X, lam));
// The output of a unit neuron with its sign, without negative zeros.
/** @type {<V extends Vector>(X: Matrix<V>, extreme: Extreme<V>) => number[]} */
export const outputOf = (X, { sign, u }) =>
  scale(sign, feature(X, u)).map((value) => value + 0);
// The outputs that the samples themselves have as neurons.
/** @type {(X: Matrix) => number[][]} */
export const spikesOf = (X) => X.map((x) => feature(X, scale(1 / norm(x), x)));
/** @type {(count: number) => Point[]} */
export const circle = (count) =>
  linspace(0, 2 * Math.PI, count + 1).slice(0, -1).map((t) => [Math.cos(t), Math.sin(t)]);
/** @type {(X: Matrix<Point>, count?: number) => Point[]} */
export const hullOutline = (X, count = 360) =>
  circle(count).map((lam) => inPlane(supportPoint(X, lam)));
// Points with M(lambda) = 1, as far as they are not farther than a radius.
/** @type {(X: Matrix<Point>, count?: number, farthest?: number) => Point[]} */
export const polarOutline = (X, count = 360, farthest = 50) =>
  circle(count).map((lam) => scale(1 / Math.max(dualNorm(X, lam).value, 1 / farthest), lam));

// The angle between two samples in degrees.
/** @type {(X: Matrix<Point>) => number} */
export function angleBetween([x, y]) {
  const size = norm(x) * norm(y);
  return degrees([clamp(dot(x, y) / size, -1, 1), Math.abs(cross(x, y)) / size]);
}

// Where a dual point lies, by its dual norm.
/** @type {(value: number) => string} */
export const whereIs = (value) =>
  value > 1 + 1e-9 ? "outside" : value < 1 - 1e-9 ? "inside" : "on the boundary of";
