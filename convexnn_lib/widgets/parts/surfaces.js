// @ts-check
// Surfaces of triangles in space.
/** @import { Point3 } from "./mathematics.js" */
import { add, dot, norm, scale, subtract } from "./mathematics.js";

/** @typedef {readonly [number, number, number]} Triangle numbers of its corners */
/** @typedef {readonly [number, number]} Edge */
/** @typedef {{ points: readonly Point3[], triangles: readonly Triangle[] }} Surface */
/** @typedef {{ corners: Triangle, direction: Point3, level: number }} Face */

const RINGS = 18;

// Directions on the unit sphere, and triangles counterclockwise as seen from outside.
/** @type {(rings?: number) => Surface} */
export function sphere(rings = RINGS) {
  const around = 2 * rings;
  /** @type {Point3[]} */
  const points = [];
  for (let i = 0; i <= rings; i++)
    for (let j = 0; j < around; j++) {
      const [down, turn] = [(Math.PI * i) / rings, (2 * Math.PI * j) / around];
      points.push([Math.sin(down) * Math.cos(turn), Math.sin(down) * Math.sin(turn), Math.cos(down)]);
    }
  /** @type {Triangle[]} */
  const triangles = [];
  for (let i = 0; i < rings; i++)
    for (let j = 0; j < around; j++) {
      const [a, b] = [i * around + j, i * around + ((j + 1) % around)];
      if (i + 1 < rings) triangles.push([a, a + around, b + around]);
      if (i > 0) triangles.push([a, b + around, b]);
    }
  return { points, triangles };
}

/** @type {(p: Point3, q: Point3) => Point3} */
const outer = (p, q) => [
  p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0],
];
/** @type {(corners: readonly [Point3, Point3, Point3]) => Point3} */
export const normalOf = ([a, b, c]) => outer(subtract(b, a), subtract(c, a));

/** @type {(points: readonly Point3[], triangle: Triangle) => [Point3, Point3, Point3]} */
export const cornersOf = (points, [a, b, c]) => [points[a], points[b], points[c]];

// The triangles of the convex hull of points in space, counterclockwise as seen from
// outside, added point by point; none if the points are in a plane.
/** @type {(points: readonly Point3[], tolerance?: number) => Triangle[]} */
export function hullTriangles(points, tolerance = 1e-9) {
  /** @type {(height: (p: Point3) => number) => number} */
  const farthest = (height) => {
    const heights = points.map((p) => Math.abs(height(p)));
    const most = Math.max(...heights);
    return most > 1e-6 ? heights.indexOf(most) : -1;
  };
  // a first tetrahedron
  const [i, origin] = [0, points[0]];
  const j = farthest((p) => norm(subtract(p, origin)));
  if (j < 0) return [];
  const base = subtract(points[j], origin);
  const k = farthest((p) => norm(outer(base, subtract(p, origin))));
  if (k < 0) return [];
  const normal = outer(base, subtract(points[k], origin));
  const l = farthest((p) => dot(normal, subtract(p, origin)));
  if (l < 0) return [];
  const middle = scale(0.25, add(add(origin, points[j]), add(points[k], points[l])));

  /** @type {(corners: Triangle) => Face} */
  const face = (corners) => {
    const raw = normalOf(cornersOf(points, corners));
    const length = norm(raw);
    const direction = length > 0 ? scale(1 / length, raw) : raw;
    return { corners, direction, level: dot(direction, points[corners[0]]) };
  };
  /** @type {(corners: Triangle) => Face} */
  const outward = ([a, b, c]) => {
    const made = face([a, b, c]);
    return dot(made.direction, middle) > made.level ? face([a, c, b]) : made;
  };
  let faces = [outward([i, j, k]), outward([i, j, l]), outward([i, k, l]), outward([j, k, l])];
  points.forEach((p, index) => {
    const visible = faces.filter((f) => dot(f.direction, p) > f.level + tolerance);
    if (!visible.length) return;
    const edges = visible.flatMap(
      ({ corners: [a, b, c] }) => /** @type {Edge[]} */ ([[a, b], [b, c], [c, a]]),
    );
    const known = new Set(edges.map(([a, b]) => `${a},${b}`));
    const horizon = edges.filter(([a, b]) => !known.has(`${b},${a}`));
    faces = faces.filter((f) => !visible.includes(f));
    for (const [a, b] of horizon) faces.push(face([a, b, index]));
  });
  return faces.map(({ corners }) => corners);
}
