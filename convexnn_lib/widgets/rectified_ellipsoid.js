// @ts-check
// Two samples and a dual point to move: their rectified ellipse, its hull and polar set.
/** @import { Place } from "./parts/frame.js" */
/** @import { Matrix, Point } from "./parts/mathematics.js" */
/** @import { Plane } from "./parts/plane.js" */
/** @import { Extreme } from "./parts/rectified.js" */
import { svg } from "./parts/elements.js";
import { addExamples, change, makeFrame, same } from "./parts/frame.js";
import {
  add, clamp, degrees, dot, inPlane, mapped, norm, relu, roundTo, scale, subtract, times,
  towards,
} from "./parts/mathematics.js";
import {
  addHandle, drawArrow, drawAxes, drawLabel, drawLine, drawMark, makePlane,
} from "./parts/plane.js";
import {
  angleBetween, circle, dualNorm, hullOutline, outputOf, polarOutline, spikesOf, whereIs,
} from "./parts/rectified.js";
import { format, vector } from "./parts/words.js";

/** @typedef {{ X: Matrix<Point>, lam: Point }} State */
/** @typedef {readonly [name: string, X: State["X"]]} Example */

const REACH = 2.3;
const [SHORTEST, LONGEST] = [0.6, 2.1]; // norms of samples
const FARTHEST = 1.6; // entries of lambda
/** @type {(angle: number) => State["X"]} */
const at = (angle) => [[1.5, 0], scale(1.5, towards(angle))];
/** @type {Readonly<Record<string, Example>>} */
export const DATA = {
  sharp: ["at 60°", at(60)],
  between: ["at 105°", at(105)],
  wide: ["at 140°", at(140)],
  pair: ["the pair", [[1.65, -0.47], [-0.47, 1.35]]],
};

/** @type {(place: Place<State>) => () => void} */
function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "The rectified ellipse, its hull and its polar set",
    hint:
      "Drag the samples and λ, or reach them with the Tab key and press the arrow keys (with Shift: " +
      "larger steps). Stars: spikes of the samples.",
  });
  /** @type {(label: string, title: string, reach: number) => Plane} */
  const view = (label, title, reach) => {
    const panel = frame.panel({ label, title, width: 250, height: 250 });
    if (panel.parentElement) panel.parentElement.style.maxWidth = "15.5rem";
    panel.style.overflow = "hidden";
    return makePlane(panel, { x: [-reach, reach], y: [-reach, reach] });
  };
  const data = view("Samples and the extreme neuron", "samples, neuron u", REACH);
  const outputs = view("Outputs of one neuron", "outputs, hull", REACH);
  const duals = view("The polar set", "polar set of dual points λ", 1.75);
  const layers = [data, outputs, duals].map((plane) => plane.layer());

  for (const i of [0, 1])
    addHandle(frame, data, {
      name: () => `sample ${i + 1}`,
      get: () => model.get("X")[i],
      set: (p) => change(model, { X: model.get("X").map((x, k) => (k === i ? p : x)) }),
      fit: (p) => {
        const length = norm(p);
        if (length === 0) return [SHORTEST, 0];
        const kept = scale(clamp(length, SHORTEST, LONGEST) / length, p);
        return length === norm(kept) ? mapped(p, (value) => roundTo(value, 0.01)) : kept;
      },
      step: 0.05,
      size: 6.5,
    });
  addHandle(frame, duals, {
    name: () => "dual point lambda",
    get: () => model.get("lam"),
    set: (lam) => change(model, { lam }),
    fit: (p) => mapped(p, (value) => clamp(roundTo(value, 0.05), -FARTHEST, FARTHEST)),
    step: 0.05,
    shape: "diamond",
    size: 7,
    colour: "var(--purple)",
  });
  addExamples(frame, "Samples", DATA, {
    isShown: ([, X]) => same(X, model.get("X")),
    show: ([, X]) => change(model, { X }),
  });
  frame.button({
    label: "Put λ on the boundary",
    disabled: () => dualNorm(model.get("X"), model.get("lam")).value === 0,
    press: () => {
      const lam = model.get("lam");
      const edge = scale(1 / dualNorm(model.get("X"), lam).value, lam);
      const outside = Math.max(...edge.map(Math.abs)) / FARTHEST;
      change(model, { lam: outside > 1 ? scale(1 / outside, edge) : edge });
    },
  });

  frame.draws(model, ["X", "lam"], () => {
    const [X, lam] = [model.get("X"), model.get("lam")];
    const extreme = dualNorm(X, lam);
    const point = inPlane(outputOf(X, extreme));
    const spikes = spikesOf(X);
    layers.forEach((layer) => layer.replaceChildren());
    drawSamples(data, layers[0], X, extreme);
    drawOutputs(outputs, layers[1], X, lam, extreme, point, spikes);
    drawPolar(duals, layers[2], X, lam, extreme);
    frame.show(
      { dualNorm: extreme.value, sign: extreme.sign, u: extreme.u, point, spikes, angle: angleBetween(X) },
      describe(X, lam, extreme, point),
    );
  });
  return frame.dispose;
}

/** @type {(X: Matrix<Point>, lam: Point, extreme: Extreme<Point>, point: Point) => string} */
function describe(X, lam, { value, sign, u }, point) {
  const angle = angleBetween(X);
  const shape =
    angle === 0
      ? "The samples are parallel: the hull is a segment, the polar set unbounded."
      : angle <= 90
        ? `Samples at ${format(angle, 0)}°: the extreme points are an arc of the ellipse, up to sign.`
        : angle < 120
          ? `Samples at ${format(angle, 0)}°: the extreme points are two spikes and an arc, up to sign.`
          : `Samples at ${format(angle, 0)}°: the extreme points are two spikes, up to sign.`;
  if (value === 0) return `${shape} M(λ) = 0 for λ = ${vector(lam)}.`;
  const owner = X.findIndex((x) => dot(x, u) > (1 - 1e-12) * norm(x));
  return (
    `${shape} M(λ) = ${format(value, 4)}, attained at ${sign > 0 ? "" : "−"}(Xu)₊ = ${vector(point)}` +
    `${owner >= 0 ? `, the spike of sample ${owner + 1}` : ""}, with u at ${format(degrees(u), 1)}°. ` +
    `λ = ${vector(lam)} is ${whereIs(value)} the polar set.`
  );
}

/** @type {(plane: Plane, layer: SVGGElement, X: Matrix<Point>, extreme: Extreme<Point>) => void} */
function drawSamples(plane, layer, X, { value, u }) {
  drawAxes(plane, layer);
  svg("path", {
    class: "cnn-axis", style: "stroke: var(--line)", d: plane.path(circle(120), true),
  }, layer);
  for (const x of X) {
    const reach = 3.3 / norm(x);
    /** @type {Point} */
    const tie = [-reach * x[1], reach * x[0]];
    drawLine(plane, layer, scale(-1, tie), tie, {
      stroke: "var(--line)", "stroke-dasharray": "5 4", "stroke-width": 1.1,
    });
  }
  X.forEach((x, i) => {
    drawArrow(plane, layer, [0, 0], x, {});
    const shift = -19 / norm(x);
    drawLabel(plane, layer, x, `x_${i + 1}`, { "font-weight": 600 }, [shift * x[1], shift * x[0]]);
  });
  if (value === 0) return;
  drawArrow(plane, layer, [0, 0], u, { style: "color: var(--purple)" });
  drawLabel(plane, layer, scale(0.62, u), "u", { style: "fill: var(--purple)", "font-weight": 600 }, [11 * u[1], 11 * u[0]]);
}

/** @type {(plane: Plane, layer: SVGGElement, X: Matrix<Point>, lam: Point, extreme: Extreme<Point>, point: Point, spikes: number[][]) => void} */
function drawOutputs(plane, layer, X, lam, { value, sign }, point, spikes) {
  drawAxes(plane, layer, ["z_1", "z_2"]);
  const outline = hullOutline(X);
  svg("path", {
    d: plane.path(outline, true), fill: "var(--sky)", "fill-opacity": 0.16,
    stroke: "var(--blue)", "stroke-width": 1.4, "stroke-linejoin": "round",
  }, layer);
  const ellipse = circle(240).map((u) => inPlane(times(X, u)));
  svg("path", {
    d: plane.path(ellipse, true), fill: "none", stroke: "var(--line)", "stroke-dasharray": "2 3",
  }, layer);
  svg("path", {
    d: plane.path(ellipse.map(relu), true), fill: "var(--green)",
    "fill-opacity": 0.3, stroke: "var(--green)", "stroke-width": 3, "stroke-opacity": 0.6,
  }, layer);
  if (value > 0) {
    // the line lambda^T z = M(lambda), with its sign on the side of the hull's point
    const foot = scale(value / dot(lam, lam), lam);
    const size = norm(lam);
    /** @type {Point} */
    const along = [(-6 * lam[1]) / size, (6 * lam[0]) / size];
    drawLine(plane, layer, subtract(foot, along), add(foot, along), {
      stroke: "var(--ink)", "stroke-dasharray": "6 4", "stroke-width": 1.4,
    });
    drawArrow(plane, layer, [0, 0], lam, { style: "color: var(--purple)" });
    const look = { style: "fill: var(--purple)", "font-weight": 600 };
    drawLabel(plane, layer, lam, "λ", look, [(13 * lam[0]) / size, (-13 * lam[1]) / size]);
  }
  for (const spike of spikes)
    for (const side of [1, -1])
      drawMark(plane, layer, inPlane(scale(side, spike)), "star", 5.5, {
        fill: "var(--orange)", stroke: "var(--ink)", "stroke-width": 0.8,
      });
  if (value > 0)
    drawMark(plane, layer, point, sign > 0 ? "circle" : "square", 5.5, {
      fill: "var(--purple)", stroke: "var(--paper)", "stroke-width": 1.5,
    });
}

/** @type {(plane: Plane, layer: SVGGElement, X: Matrix<Point>, lam: Point, extreme: Extreme<Point>) => void} */
function drawPolar(plane, layer, X, lam, { value }) {
  drawAxes(plane, layer, ["λ_1", "λ_2"]);
  svg("path", {
    d: plane.path(polarOutline(X), true), fill: "var(--purple)", "fill-opacity": 0.14,
    stroke: "var(--purple)", "stroke-width": 1.6, "stroke-linejoin": "round",
  }, layer);
  if (value === 0) return;
  const edge = scale(1 / value, lam);
  drawLine(plane, layer, [0, 0], value < 1 ? edge : lam, {
    stroke: "var(--muted)", "stroke-dasharray": "3 3", "stroke-width": 1.2,
  });
  drawMark(plane, layer, edge, "circle", 4, { fill: "var(--ink)", stroke: "var(--paper)" });
  const shift = 19 / norm(lam);
  drawLabel(plane, layer, edge, "λ/M", { class: "cnn-name" }, [shift * lam[1], shift * lam[0]]);
}

export default { render };
