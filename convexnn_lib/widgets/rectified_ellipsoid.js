import {
  add, addHandle, change, clamp, degrees, dot, drawArrow, drawAxes, drawLabel, drawLine,
  drawMark, format, linspace, makeFrame, makePlane, norm, roundTo, scale, subtract, svg,
  times, vector,
} from "./shared.js";

// ---------------------------------------------------------------- mathematics

// M(lambda) = max |lambda^T (X u)_+| over unit vectors u, for at most three samples in
// any dimension, with a u and the sign of lambda^T (X u)_+: the largest distance of a
// vertex of one zonotope from the other one.
export function dualNorm(X, lam) {
  const zero = X[0].map(() => 0);
  let best = { value: 0, sign: 1, u: zero.map((_, j) => (j === 0 ? 1 : 0)) };
  for (const sign of [1, -1]) {
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
function gapTo(z, generators) {
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

export const feature = (X, u) => times(X, u).map((value) => Math.max(value, 0));

// The point of the hull of the rectified ellipsoid and its mirror image that is farthest
// in the direction lambda.
export function supportPoint(X, lam) {
  const { sign, u } = dualNorm(X, lam);
  return scale(sign, feature(X, u)).map((value) => value + 0);
}
const circle = (count) =>
  linspace(0, 2 * Math.PI, count + 1).slice(0, -1).map((t) => [Math.cos(t), Math.sin(t)]);
export const hullOutline = (X, count = 360) => circle(count).map((lam) => supportPoint(X, lam));
// Points with M(lambda) = 1, as far as they are not farther than a radius.
export const polarOutline = (X, count = 360, farthest = 50) =>
  circle(count).map((lam) => scale(1 / Math.max(dualNorm(X, lam).value, 1 / farthest), lam));

// The angle between two samples in degrees, and the extreme points of the hull by it.
export function angleBetween([x, y]) {
  return degrees([clamp(dot(x, y) / (norm(x) * norm(y)), -1, 1), Math.abs(x[0] * y[1] - x[1] * y[0]) / (norm(x) * norm(y))]);
}

// ---------------------------------------------------------------- the figure

const REACH = 2.3;
const [SHORTEST, LONGEST] = [0.6, 2.1]; // norms of samples
const FARTHEST = 1.6; // entries of lambda
const onCircle = (angle, length = 1) =>
  [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)].map((v) => length * v);
export const DATA = {
  sharp: ["at 60°", [[1.5, 0], onCircle(60, 1.5)]],
  between: ["at 105°", [[1.5, 0], onCircle(105, 1.5)]],
  wide: ["at 140°", [[1.5, 0], onCircle(140, 1.5)]],
  pair: ["the pair", [[1.65, -0.47], [-0.47, 1.35]]],
};

function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "The rectified ellipse, its hull and its polar set",
    hint:
      "Drag the samples and λ, or reach them with the Tab key and press the arrow keys (with Shift: " +
      "larger steps). Stars: spikes of the samples.",
  });
  const panel = (label, title) => {
    const made = frame.panel({ label, title, width: 250, height: 250 });
    made.parentNode.style.maxWidth = "15.5rem";
    made.style.overflow = "hidden";
    return made;
  };
  const view = (made, reach) => makePlane(made, { x: [-reach, reach], y: [-reach, reach] });
  const data = view(panel("Samples and the extreme neuron", "samples, neuron u"), REACH);
  const outputs = view(panel("Outputs of one neuron", "outputs, hull"), REACH);
  const duals = view(panel("The polar set", "polar set of dual points λ"), 1.75);
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
        return length === norm(kept) ? p.map((value) => roundTo(value, 0.01)) : kept;
      },
      step: 0.05,
      size: 6.5,
    });
  addHandle(frame, duals, {
    name: () => "dual point lambda",
    get: () => model.get("lam"),
    set: (lam) => change(model, { lam }),
    fit: (p) => p.map((value) => clamp(roundTo(value, 0.05), -FARTHEST, FARTHEST)),
    step: 0.05,
    shape: "diamond",
    size: 7,
    colour: "var(--purple)",
  });
  const isShown = ([, X]) => JSON.stringify(X) === JSON.stringify(model.get("X"));
  frame.choice({
    label: "Samples",
    options: [["own", "your own"], ...Object.entries(DATA).map(([key, [name]]) => [key, name])],
    get: () => Object.keys(DATA).find((key) => isShown(DATA[key])) ?? "own",
    set: (key) => key !== "own" && change(model, { X: DATA[key][1] }),
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
    const point = scale(extreme.sign, feature(X, extreme.u)).map((value) => value + 0);
    layers.forEach((layer) => layer.replaceChildren());
    drawSamples(data, layers[0], X, extreme);
    drawOutputs(outputs, layers[1], X, lam, extreme, point);
    drawPolar(duals, layers[2], X, lam, extreme);
    const spikes = X.map((x) => feature(X, scale(1 / norm(x), x)));
    frame.show(
      { dualNorm: extreme.value, sign: extreme.sign, u: extreme.u, point, spikes, angle: angleBetween(X) },
      describe(X, lam, extreme, point),
    );
  });
  return frame.dispose;
}

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
  const where = value > 1 + 1e-9 ? "outside" : value < 1 - 1e-9 ? "inside" : "on the boundary of";
  return (
    `${shape} M(λ) = ${format(value, 4)}, attained at ${sign > 0 ? "" : "−"}(Xu)₊ = ${vector(point)}` +
    `${owner >= 0 ? `, the spike of sample ${owner + 1}` : ""}, with u at ${format(degrees(u), 1)}°. ` +
    `λ = ${vector(lam)} is ${where} the polar set.`
  );
}

function drawSamples(plane, layer, X, { value, u }) {
  drawAxes(plane, layer);
  svg("path", {
    class: "cnn-axis", style: "stroke: var(--line)", d: plane.path(circle(120), true),
  }, layer);
  for (const x of X) {
    const tie = scale(3.3 / norm(x), [-x[1], x[0]]);
    drawLine(plane, layer, scale(-1, tie), tie, {
      stroke: "var(--line)", "stroke-dasharray": "5 4", "stroke-width": 1.1,
    });
  }
  X.forEach((x, i) => {
    drawArrow(plane, layer, [0, 0], x, {});
    const side = scale(19 / norm(x), [-x[1], -x[0]]);
    drawLabel(plane, layer, x, `x_${i + 1}`, { "font-weight": 600 }, side);
  });
  if (value === 0) return;
  drawArrow(plane, layer, [0, 0], u, { style: "color: var(--purple)" });
  drawLabel(plane, layer, scale(0.62, u), "u", { style: "fill: var(--purple)", "font-weight": 600 }, [11 * u[1], 11 * u[0]]);
}

function drawOutputs(plane, layer, X, lam, { value, sign }, point) {
  drawAxes(plane, layer, ["z_1", "z_2"]);
  const outline = hullOutline(X);
  svg("path", {
    d: plane.path(outline, true), fill: "var(--sky)", "fill-opacity": 0.16,
    stroke: "var(--blue)", "stroke-width": 1.4, "stroke-linejoin": "round",
  }, layer);
  const ellipse = circle(240).map((u) => times(X, u));
  svg("path", {
    d: plane.path(ellipse, true), fill: "none", stroke: "var(--line)", "stroke-dasharray": "2 3",
  }, layer);
  svg("path", {
    d: plane.path(ellipse.map((p) => p.map((v) => Math.max(v, 0))), true), fill: "var(--green)",
    "fill-opacity": 0.3, stroke: "var(--green)", "stroke-width": 3, "stroke-opacity": 0.6,
  }, layer);
  if (value > 0) {
    // the line lambda^T z = M(lambda), with its sign on the side of the hull's point
    const foot = scale(value / dot(lam, lam), lam);
    const along = scale(6 / norm(lam), [-lam[1], lam[0]]);
    drawLine(plane, layer, subtract(foot, along), add(foot, along), {
      stroke: "var(--ink)", "stroke-dasharray": "6 4", "stroke-width": 1.4,
    });
    drawArrow(plane, layer, [0, 0], lam, { style: "color: var(--purple)" });
    drawLabel(plane, layer, lam, "λ", { style: "fill: var(--purple)", "font-weight": 600 }, scale(13 / norm(lam), [lam[0], -lam[1]]));
  }
  for (const x of X)
    for (const side of [1, -1])
      drawMark(plane, layer, scale(side, feature(X, scale(1 / norm(x), x))), "star", 5.5, {
        fill: "var(--orange)", stroke: "var(--ink)", "stroke-width": 0.8,
      });
  if (value > 0)
    drawMark(plane, layer, point, sign > 0 ? "circle" : "square", 5.5, {
      fill: "var(--purple)", stroke: "var(--paper)", "stroke-width": 1.5,
    });
}

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
  drawLabel(plane, layer, edge, "λ/M", { class: "cnn-name" }, scale(19 / norm(lam), [lam[1], lam[0]]));
}

export default { render };
