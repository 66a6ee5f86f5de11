// @ts-check
// Planes, what is drawn on them, and points that readers move.
/** @import { Attributes } from "./elements.js" */
/** @import { Frame } from "./frame.js" */
/** @import { Point } from "./mathematics.js" */
import { svg, typeset } from "./elements.js";
import { add, clamp, norm, ORIGIN, scale, subtract } from "./mathematics.js";
import { short, vector } from "./words.js";

/** @typedef {"circle" | "square" | "diamond" | "triangle" | "star" | "cross"} Shape */
/** @typedef {ReturnType<typeof makePlane>} Plane */
/**
 * Where a plane lies in its panel; by default it reaches to the right and lower edge.
 * @typedef {{ left?: number, top?: number, width?: number, height?: number }} Box
 */

// What signs look like. Shape repeats what colour says.
/** @type {Readonly<Record<number, string>>} */
export const COLOUR = { 1: "var(--blue)", "-1": "var(--vermilion)" };
/** @type {Readonly<Record<number, Shape>>} */
export const SHAPE = { 1: "circle", "-1": "square" };

// A rectangle of an SVG panel that shows the coordinates x = [low, high] and y.
//   plane.layer(attributes)  a group for drawings that nobody has to read
//   plane.pixel([x, y])      where a point is drawn;  plane.point([px, py]) the inverse
/** @param {SVGSVGElement} panel @param {{ x: Point, y: Point } & Box} place */
export function makePlane(panel, { x, y, left = 0, top = 0, width, height }) {
  const box = panel.viewBox.baseVal;
  const across = width ?? box.width - left;
  const down = height ?? box.height - top;
  /** @type {(point: Point) => Point} */
  const pixel = ([a, b]) => [
    left + ((a - x[0]) / (x[1] - x[0])) * across,
    top + ((y[1] - b) / (y[1] - y[0])) * down,
  ];
  /** @type {(pixel: Point) => Point} */
  const point = ([px, py]) => [
    x[0] + ((px - left) / across) * (x[1] - x[0]),
    y[1] - ((py - top) / down) * (y[1] - y[0]),
  ];
  return {
    panel, x, y, left, top, width: across, height: down, pixel, point,
    /** @type {(attributes?: Attributes) => SVGGElement} */
    layer: (attributes = {}) => svg("g", { "aria-hidden": "true", ...attributes }, panel),
    /** @type {(points: readonly Point[], close?: boolean) => string} */
    path: (points, close = false) =>
      "M" +
      points.map((p) => pixel(p).map((v) => v.toFixed(2)).join(",")).join("L") +
      (close ? "Z" : ""),
  };
}

// ---------------------------------------------------------------- drawings

// Thin lines through the origin, as far as the plane reaches.
/** @type {(plane: Plane, layer: SVGGElement, names?: readonly [string, string]) => void} */
export function drawAxes(plane, layer, names) {
  const [ox, oy] = plane.pixel([0, 0]);
  const { left, top, width, height } = plane;
  svg("path", { class: "cnn-axis", d: `M${left},${oy}H${left + width}` }, layer);
  svg("path", { class: "cnn-axis", d: `M${ox},${top}V${top + height}` }, layer);
  if (!names) return;
  typeset(
    svg("text", { class: "cnn-name", x: left + width - 4, y: oy - 6, "text-anchor": "end" }, layer),
    names[0],
  );
  typeset(svg("text", { class: "cnn-name", x: ox + 6, y: top + 12 }, layer), names[1]);
}

// Ticks with numbers on the axes through the origin (or along the lower and left edge).
/** @type {(plane: Plane, layer: SVGGElement, xs: number[], ys: number[], digits?: number) => void} */
export function drawTicks(plane, layer, xs, ys, digits = 1) {
  const base = [clamp(0, ...plane.x), clamp(0, ...plane.y)];
  for (const value of xs) {
    const [x, y] = plane.pixel([value, base[1]]);
    svg("path", { d: `M${x},${y}v4`, stroke: "var(--line)" }, layer);
    const label = { class: "cnn-name", x, y: y + 16, "text-anchor": "middle" };
    svg("text", label, layer).textContent = short(value, digits);
  }
  for (const value of ys) {
    const [x, y] = plane.pixel([base[0], value]);
    svg("path", { d: `M${x},${y}h-4`, stroke: "var(--line)" }, layer);
    const label = { class: "cnn-name", x: x - 7, y: y + 4, "text-anchor": "end" };
    svg("text", label, layer).textContent = short(value, digits);
  }
}

/** @type {(plane: Plane, layer: SVGGElement, from: Point, to: Point, attributes?: Attributes) => void} */
export function drawLine(plane, layer, from, to, attributes = {}) {
  svg("path", { d: plane.path([from, to]), fill: "none", ...attributes }, layer);
}

// An arrow; short ones have a small head.
/** @type {(plane: Plane, layer: SVGGElement, from: Point, to: Point, attributes?: Attributes) => void} */
export function drawArrow(plane, layer, from, to, attributes = {}) {
  const [a, b] = [plane.pixel(from), plane.pixel(to)];
  const along = subtract(b, a);
  const length = norm(along);
  const group = svg("g", { class: "cnn-arrow", ...attributes }, layer);
  if (length < 1) return;
  const size = Math.min(9, 0.5 * length);
  const unit = scale(1 / length, along);
  const back = subtract(b, scale(size, unit));
  const side = scale(0.4 * size, /** @type {Point} */ ([-unit[1], unit[0]]));
  const [left, right] = [add(back, side), subtract(back, side)];
  svg("path", { d: `M${a}L${back}`, fill: "none", stroke: "currentColor" }, group);
  svg("path", { d: `M${b}L${left}L${right}Z`, fill: "currentColor" }, group);
}

/** @type {(plane: Plane, layer: SVGGElement, point: Point, source: string, attributes?: Attributes, shift?: Point) => SVGTextElement} */
export function drawLabel(plane, layer, point, source, attributes = {}, shift = ORIGIN) {
  const [x, y] = add(plane.pixel(point), shift);
  const label = svg(
    "text",
    { x, y, "text-anchor": "middle", "dominant-baseline": "central", ...attributes },
    layer,
  );
  return typeset(label, source);
}

// The path of a mark, with its centre and size in pixels.
/** @type {(shape: Shape, centre: Point, size: number) => string} */
function markPath(shape, [x, y], size) {
  /** @type {(count: number, radii: number[], start?: number) => string} */
  const turn = (count, radii, start = -Math.PI / 2) =>
    "M" +
    Array.from({ length: count }, (_, k) => {
      const angle = start + (2 * Math.PI * k) / count;
      const radius = size * radii[k % radii.length];
      return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)].map((v) => v.toFixed(2));
    }).join("L") +
    "Z";
  switch (shape) {
    case "circle":
      return `M${x - size},${y}a${size},${size} 0 1 0 ${2 * size},0a${size},${size} 0 1 0 ${-2 * size},0Z`;
    case "square":
      return turn(4, [1.2], Math.PI / 4);
    case "diamond":
      return turn(4, [1.3]);
    case "triangle":
      return turn(3, [1.35]);
    case "star":
      return turn(10, [1.5, 0.65]);
    case "cross":
      return `M${x - size},${y - size}L${x + size},${y + size}M${x - size},${y + size}L${x + size},${y - size}`;
  }
}
/** @type {(plane: Plane, layer: SVGGElement, point: Point, shape: Shape, size: number, attributes?: Attributes) => void} */
export function drawMark(plane, layer, point, shape, size, attributes = {}) {
  svg("path", { d: markPath(shape, plane.pixel(point), size), ...attributes }, layer);
}

// ---------------------------------------------------------------- points to move

/**
 * @typedef {object} HandleOptions
 * @property {() => string} name  what it is called, for screen readers
 * @property {() => Point} get  its position
 * @property {(p: Point) => void} set  takes a new position
 * @property {number} step  how far the keys move it, five times as far with Shift
 * @property {(p: Point) => Point} [fit]  the admissible position nearest to p (grids, curves)
 * @property {(direction: Point, length: number) => Point} [key]  where a key leads
 * @property {(p: Point) => string} [text]  its position in words
 * @property {() => boolean} [shown]  whether it is there at all
 * @property {Shape | (() => Shape)} [shape]
 * @property {string | (() => string)} [colour]
 * @property {number} [size]
 */

/** @type {Readonly<Record<string, Point>>} */
const ARROWS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1],
};

// A point that mouse, touch and arrow keys move.
/** @type {(frame: Frame, plane: Plane, options: HandleOptions) => SVGGElement} */
export function addHandle(frame, plane, options) {
  const { name, get, set, step } = options;
  const { shape = "circle", size = 7, colour = "var(--ink)", shown = () => true } = options;
  const fit = options.fit ?? ((p) => p);
  const text = options.text ?? ((p) => vector(p));
  const group = svg(
    "g",
    {
      class: "cnn-handle",
      tabindex: 0,
      role: "slider",
      "aria-roledescription": "movable point",
    },
    plane.panel,
  );
  svg("circle", { class: "cnn-grip", r: 22 }, group);
  svg("circle", { class: "cnn-ring", r: size + 5 }, group);
  const mark = svg("path", { class: "cnn-mark" }, group);
  /** @type {(p: Point) => void} */
  const move = (p) => {
    const next = fit([clamp(p[0], ...plane.x), clamp(p[1], ...plane.y)]);
    if (next.some((value, i) => value !== get()[i])) set(next);
  };

  /** @type {Point | null} */
  let offset = null;
  /** @type {(event: PointerEvent) => Point} */
  const pointer = (event) => {
    // a panel under the pointer is on the screen, so that it has this matrix
    const screen = /** @type {DOMMatrix} */ (plane.panel.getScreenCTM());
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(screen.inverse());
    return plane.point([place.x, place.y]);
  };
  group.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    group.focus({ preventScroll: true });
    group.setPointerCapture(event.pointerId);
    offset = subtract(get(), pointer(event));
    group.classList.add("cnn-held");
  });
  group.addEventListener("pointermove", (event) => {
    if (offset) move(add(pointer(event), offset));
  });
  const release = () => {
    offset = null;
    group.classList.remove("cnn-held");
  };
  group.addEventListener("pointerup", release);
  group.addEventListener("pointercancel", release);
  group.addEventListener("keydown", (event) => {
    const direction = ARROWS[event.key];
    if (!direction || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const length = (event.shiftKey ? 5 : 1) * step;
    move(options.key ? options.key(direction, length) : add(get(), scale(length, direction)));
  });

  frame.register({
    update() {
      const there = shown();
      group.style.display = there ? "" : "none";
      if (!there) return;
      const p = get();
      group.setAttribute("transform", `translate(${plane.pixel(p).map((v) => v.toFixed(2))})`);
      group.setAttribute("aria-label", name());
      group.setAttribute("aria-valuenow", p[0].toFixed(3));
      group.setAttribute("aria-valuetext", text(p));
      group.style.color = typeof colour === "function" ? colour() : colour;
      const outline = markPath(typeof shape === "function" ? shape() : shape, [0, 0], size);
      mark.setAttribute("d", outline);
    },
  });
  return group;
}
