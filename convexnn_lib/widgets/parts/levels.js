// @ts-check
// Functions of the plane, shaded in bands between levels.
/** @import { Point } from "./mathematics.js" */
/** @import { Plane } from "./plane.js" */
import { contours } from "./d3-contour.min.js";
import { svg } from "./elements.js";
import { clamp, linspace } from "./mathematics.js";

/**
 * Values on a grid of equal steps: values[i][j] at x[0] + j steps, y[0] + i steps.
 * @typedef {{ x: Point, y: Point, values: readonly (readonly number[])[] }} Grid
 */

// The region {f <= level} as rings of points, the last of a ring being the first, and the
// lines that bound it within the grid: those parts of the rings that are not on its edge.
/** @type {(grid: Grid, level: number) => { rings: Point[][], lines: Point[][] }} */
export function levelSet({ x, y, values }, level) {
  const [rows, columns] = [values.length, values[0].length];
  // d3-contour finds where a function is large, and takes it to be small around the grid,
  // in which the value [i][j] has the place (j + 1/2, i + 1/2)
  const { coordinates } = contours()
    .size([columns, rows])
    .contour(values.flat().map((value) => -value), -level);
  /** @type {(position: number, last: number) => number} */
  const onGrid = (position, last) => clamp(position - 0.5, 0, last);
  /** @type {(p: Point, q: Point) => boolean} */
  const onEdge = (p, q) =>
    [columns - 1, rows - 1].some((last, k) => p[k] === q[k] && (p[k] === 0 || p[k] === last));
  /** @type {(p: Point) => Point} */
  const place = ([j, i]) => [
    x[0] + (j / (columns - 1)) * (x[1] - x[0]),
    y[0] + (i / (rows - 1)) * (y[1] - y[0]),
  ];
  /** @type {Point[][]} */
  const rings = [];
  /** @type {Point[][]} */
  const lines = [];
  for (const ring of coordinates.flat()) {
    const points = ring.map(
      ([j, i]) => /** @type {Point} */ ([onGrid(j, columns - 1), onGrid(i, rows - 1)]),
    );
    rings.push(points.map(place));
    for (const line of piecesOf(points, onEdge)) lines.push(line.map(place));
  }
  return { rings, lines };
}

// What is left of a ring without some of its segments; the whole ring if it has none.
/** @type {(ring: Point[], isLeftOut: (p: Point, q: Point) => boolean) => Point[][]} */
function piecesOf(ring, isLeftOut) {
  const open = ring.slice(1);
  const cut = open.findIndex((q, k) => isLeftOut(ring[k], q));
  if (cut < 0) return [ring];
  // the ring from the end of a segment that is left out round to its start
  const turned = [...open.slice(cut), ...open.slice(0, cut)];
  /** @type {Point[][]} */
  const pieces = [];
  let piece = [turned[0]];
  for (const [k, q] of turned.slice(1).entries()) {
    if (!isLeftOut(turned[k], q)) piece.push(q);
    else {
      pieces.push(piece);
      piece = [q];
    }
  }
  return [...pieces, piece].filter((points) => points.length > 1);
}

// Shade a function in bands between levels, with the lines of the levels: low is dense.
/**
 * @param {Plane} plane
 * @param {SVGGElement} layer
 * @param {(a: number, b: number) => number} f
 * @param {readonly number[]} levels
 * @param {string} colour
 */
export function drawLandscape(plane, layer, f, levels, colour) {
  const { x, y } = plane;
  const [xs, ys] = [x, y].map((range) => linspace(...range, CELLS + 1));
  const grid = { x, y, values: ys.map((b) => xs.map((a) => f(a, b))) };
  for (const level of levels) {
    const { rings, lines } = levelSet(grid, level);
    // each band adds a veil
    const region = rings.map((ring) => plane.path(ring, true)).join("");
    svg("path", { d: region, fill: colour, "fill-opacity": 0.075, stroke: "none" }, layer);
    const line = lines.map((points) => plane.path(points)).join("");
    svg("path", { class: "cnn-level", d: line, stroke: colour }, layer);
  }
}
const CELLS = 64;
