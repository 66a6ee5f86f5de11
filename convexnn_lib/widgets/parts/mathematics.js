// @ts-check
// Small pieces of mathematics in the plane and beyond.

/** @typedef {readonly number[]} Vector */
/** @typedef {readonly [number, number]} Point */
/** @typedef {readonly [number, number, number]} Point3 */
/**
 * Samples, one a row.
 * @template {Vector} [V=Vector]
 * @typedef {readonly V[]} Matrix
 */
/** @typedef {readonly boolean[]} Pattern */
/**
 * An open cell: the rays between which it lies (in degrees), a vector of it, its pattern.
 * @typedef {{ start: number, stop: number, u: Point, pattern: Pattern }} Cell
 */

/** @type {Point} */
export const ORIGIN = [0, 0];

// ---------------------------------------------------------------- linear algebra

// Apply a function to each entry. (Array.map forgets how many entries a tuple has: the
// assertion to any brings them back.)
/** @type {<V extends Vector | []>(a: V, f: (value: number, i: number) => number) => V} */
export const mapped = (a, f) => /** @type {any} */ (a.map(f));
/** @type {(a: Vector, b: Vector) => number} */
export const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
/** @type {(a: Vector) => number} */
export const norm = (a) => Math.hypot(...a);
/** @type {<V extends Vector | []>(a: V, b: NoInfer<V>) => V} */
export const add = (a, b) => mapped(a, (value, i) => value + b[i]);
/** @type {<V extends Vector | []>(a: V, b: NoInfer<V>) => V} */
export const subtract = (a, b) => mapped(a, (value, i) => value - b[i]);
/** @type {<V extends Vector | []>(factor: number, a: V) => V} */
export const scale = (factor, a) => mapped(a, (value) => factor * value);
/** @type {(a: Point, b: Point) => number} */
export const cross = (a, b) => a[0] * b[1] - a[1] * b[0];
/** @type {(X: Matrix, u: Vector) => number[]} */
export const times = (X, u) => X.map((row) => dot(row, u));
// The first coordinates of a vector, as a point of a plane.
/** @type {(a: Vector) => Point} */
export const inPlane = ([a, b]) => [a, b];
/** @type {(a: Vector) => Point3} */
export const inSpace = ([a, b, c]) => [a, b, c];
// X^T v
/** @type {<V extends Vector>(X: Matrix<V>, v: Vector) => V} */
export const transposeTimes = (X, v) =>
  X.reduce((sum, row, i) => add(sum, scale(v[i], row)), mapped(X[0], () => 0));
// The part that a neuron lets through.
/** @type {<V extends Vector | []>(z: V) => V} */
export const relu = (z) => mapped(z, (value) => Math.max(value, 0));
/** @type {(value: number, low: number, high: number) => number} */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
/** @type {(value: number, step: number) => number} */
export const roundTo = (value, step) => Math.round(value / step) * step || 0;
/** @type {(low: number, high: number, count: number) => number[]} */
export const linspace = (low, high, count) =>
  Array.from({ length: count }, (_, k) => low + ((high - low) * k) / (count - 1));

// ---------------------------------------------------------------- convex polygons

// The point of the segment from a to b that is nearest to z.
/** @type {(z: Point, a: Point, b: Point) => Point} */
function nearestOnSegment(z, a, b) {
  const along = subtract(b, a);
  const length = dot(along, along);
  const t = length ? clamp(dot(subtract(z, a), along) / length, 0, 1) : 0;
  return add(a, scale(t, along));
}

// The corners of the convex hull of points in the plane, counterclockwise.
/** @type {(points: readonly Point[]) => Point[]} */
export function convexHull(points) {
  const sorted = [...points]
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .filter((p, k, list) => !k || p[0] !== list[k - 1][0] || p[1] !== list[k - 1][1]);
  /** @type {(list: Point[]) => Point[]} */
  const chain = (list) => {
    /** @type {Point[]} */
    const kept = [];
    for (const p of list) {
      while (kept.length > 1) {
        const [before, last] = kept.slice(-2);
        if (cross(subtract(last, before), subtract(p, last)) > 0) break;
        kept.pop();
      }
      kept.push(p);
    }
    return kept.slice(0, -1);
  };
  const corners = [...chain(sorted), ...chain([...sorted].reverse())];
  return corners.length ? corners : sorted.slice(0, 1);
}

// The point of a convex polygon (corners counterclockwise; 1 or 2 corners are a point
// or a segment) that is nearest to z.
/** @type {(z: Point, corners: readonly Point[]) => Point} */
export function nearestInPolygon(z, corners) {
  const edges = corners.map((a, k) => ({ a, b: corners[(k + 1) % corners.length] }));
  const inside =
    corners.length > 2 &&
    edges.every(({ a, b }) => cross(subtract(b, a), subtract(z, a)) >= 0);
  if (inside) return z;
  const candidates = edges.map(({ a, b }) => nearestOnSegment(z, a, b));
  const distances = candidates.map((p) => norm(subtract(z, p)));
  return candidates[distances.indexOf(Math.min(...distances))];
}

// ---------------------------------------------------------------- cells in the plane

/** @type {(x: Vector) => boolean} */
export const isZero = (x) => x.every((value) => value === 0);
/** @type {(v: Point) => number} */
export const degrees = (v) => ((Math.atan2(v[1], v[0]) * 180) / Math.PI + 360) % 360;
/** @type {(angle: number) => number} */
export const radians = (angle) => (angle * Math.PI) / 180;
// The unit vector at an angle in degrees.
/** @type {(angle: number) => Point} */
export const towards = (angle) => [Math.cos(radians(angle)), Math.sin(radians(angle))];

// Groups of numbers of rows that are parallel or antiparallel; zero rows are in none.
// Exact where the products are, for example on a grid of binary fractions.
/** @type {(X: Matrix<Point>) => number[][]} */
export function parallelClasses(X) {
  /** @type {number[][]} */
  const classes = [];
  X.forEach((x, i) => {
    if (isZero(x)) return;
    const same = classes.find((group) => cross(X[group[0]], x) === 0);
    if (same) same.push(i);
    else classes.push([i]);
  });
  return classes;
}

// The open cells in the order of their angles. A zero row is always active.
/** @type {(X: Matrix<Point>) => Cell[]} */
export function cells(X) {
  const rays = parallelClasses(X)
    .map((group) => scale(1 / norm(X[group[0]]), X[group[0]]))
    .flatMap(([a, b]) => /** @type {Point[]} */ ([[-b, a], [b, -a]]))
    .sort((p, q) => degrees(p) - degrees(q));
  if (!rays.length) return [{ start: 0, stop: 360, u: [1, 0], pattern: X.map(() => true) }];
  return rays.map((ray, k) => {
    const next = rays[(k + 1) % rays.length];
    // two rays alone are opposite: the cell between them is a half plane
    /** @type {Point} */
    const u = rays.length === 2 ? [-ray[1], ray[0]] : add(ray, next);
    const start = degrees(ray);
    const stop = start + ((degrees(next) - start + 360) % 360);
    return { start, stop, u, pattern: times(X, u).map((value) => value >= 0) };
  });
}
