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

// ---------------------------------------------------------------- three samples

// name, samples; the first are those of the chapter on geometry
export const BODIES = {
  acute: ["as in the chapter", [[1.5, -0.3, -0.2], [-0.5, 1.2, -0.3], [0.2, 0.3, 1]]],
  orthogonal: ["orthogonal", [[1.2, 0, 0], [0, 1.2, 0], [0, 0, 1.2]]],
  wide: ["pairwise at 110°", [[1.4, 0, 0], [-0.479, 1.316, 0], [-0.479, -0.673, 1.131]]],
  plane: ["in a plane", [[1.2, 0, 0], [-0.6, 1.039, 0], [0.6, 1.039, 0]]],
};
const RINGS = 18;

// Directions on the unit sphere, and triangles counterclockwise as seen from outside.
export function sphere(rings = RINGS) {
  const around = 2 * rings;
  const points = [];
  for (let i = 0; i <= rings; i++)
    for (let j = 0; j < around; j++) {
      const [down, turn] = [(Math.PI * i) / rings, (2 * Math.PI * j) / around];
      points.push([Math.sin(down) * Math.cos(turn), Math.sin(down) * Math.sin(turn), Math.cos(down)]);
    }
  const triangles = [];
  for (let i = 0; i < rings; i++)
    for (let j = 0; j < around; j++) {
      const [a, b] = [i * around + j, i * around + ((j + 1) % around)];
      if (i + 1 < rings) triangles.push([a, a + around, b + around]);
      if (i > 0) triangles.push([a, b + around, b]);
    }
  return { points, triangles };
}

const outer = (p, q) => [
  p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0],
];
const normalOf = ([a, b, c]) => outer(subtract(b, a), subtract(c, a));

// The triangles of the convex hull of points in space, counterclockwise as seen from
// outside, added point by point; none if the points are in a plane.
export function hullTriangles(points, tolerance = 1e-9) {
  const farthest = (height) => {
    const heights = points.map((p) => Math.abs(height(p)));
    const most = Math.max(...heights);
    return most > 1e-6 ? heights.indexOf(most) : -1;
  };
  const first = [0, farthest((p) => norm(subtract(p, points[0])))];
  if (first[1] < 0) return [];
  const base = subtract(points[first[1]], points[0]);
  first.push(farthest((p) => norm(outer(base, subtract(p, points[0])))));
  if (first[2] < 0) return [];
  const normal = normalOf(first.map((k) => points[k]));
  first.push(farthest((p) => dot(normal, subtract(p, points[0]))));
  if (first[3] < 0) return [];
  const middle = scale(0.25, first.map((k) => points[k]).reduce(add));

  const face = (corners) => {
    const raw = normalOf(corners.map((k) => points[k]));
    const length = norm(raw);
    const direction = length > 0 ? scale(1 / length, raw) : raw;
    return { corners, direction, level: dot(direction, points[corners[0]]) };
  };
  const outward = ([a, b, c]) => {
    const made = face([a, b, c]);
    return dot(made.direction, middle) > made.level ? face([a, c, b]) : made;
  };
  const [i, j, k, l] = first;
  let faces = [[i, j, k], [i, j, l], [i, k, l], [j, k, l]].map(outward);
  points.forEach((p, index) => {
    const visible = faces.filter((f) => dot(f.direction, p) > f.level + tolerance);
    if (!visible.length) return;
    const edges = visible.flatMap(({ corners: [a, b, c] }) => [[a, b], [b, c], [c, a]]);
    const known = new Set(edges.map(([a, b]) => `${a},${b}`));
    const horizon = edges.filter(([a, b]) => !known.has(`${b},${a}`));
    faces = faces.filter((f) => !visible.includes(f));
    for (const [a, b] of horizon) faces.push(face([a, b, index]));
  });
  return faces.map(({ corners }) => corners);
}

// The rows are the viewer's axes: to the right, up, and towards the viewer.
export function axesOf(turn, tilt) {
  const [c, s, e, f] = [turn, tilt].flatMap((t) => [Math.cos((t * Math.PI) / 180), Math.sin((t * Math.PI) / 180)]);
  return [[-s, c, 0], [-c * f, -s * f, e], [c * e, s * e, f]];
}

function renderSpace({ model, el }) {
  const frame = makeFrame(el, {
    label: "Rectified ellipsoid, hull and polar set of three samples",
    hint:
      "Drag the pictures or use the sliders to turn them; drag λ in the plane of the screen, or reach " +
      "it with the Tab key and press the arrow keys. Stars: spikes of the samples.",
  });
  const axes = () => axesOf(model.get("turn"), model.get("tilt"));
  const view = (label, title, reach) => {
    const panel = frame.panel({ label, title, width: 320, height: 320 });
    panel.style.overflow = "hidden";
    const plane = makePlane(panel, { x: [-reach, reach], y: [-reach, reach] });
    turnByDrag(panel);
    return plane;
  };
  const outputs = view("Outputs", "rectified ellipsoid and hull", 1.9);
  const duals = view("Polar set", "polar set of dual points λ", 1.9);
  const layers = [outputs, duals].map((plane) => plane.layer());

  function turnByDrag(panel) {
    let last = null;
    panel.style.touchAction = "pan-y";
    panel.style.cursor = "move";
    panel.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest(".cnn-handle")) return;
      last = [event.clientX, event.clientY];
      panel.setPointerCapture(event.pointerId);
    });
    panel.addEventListener("pointermove", (event) => {
      if (!last) return;
      const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
      last = [event.clientX, event.clientY];
      change(model, {
        turn: (roundTo(model.get("turn") - 0.6 * dx, 0.1) + 360) % 360,
        tilt: clamp(roundTo(model.get("tilt") + 0.6 * dy, 0.1), -90, 90),
      });
    });
    for (const name of ["pointerup", "pointercancel"])
      panel.addEventListener(name, () => (last = null));
  }

  addHandle(frame, duals, {
    name: () => "dual point lambda",
    get: () => times(axes(), model.get("lam")).slice(0, 2),
    set: ([across, up]) => {
      const frameAxes = axes();
      const depth = dot(frameAxes[2], model.get("lam"));
      const lam = [across, up, depth].reduce((sum, value, k) => add(sum, scale(value, frameAxes[k])), [0, 0, 0]);
      change(model, { lam: lam.map((value) => clamp(roundTo(value, 0.001), -FARTHEST, FARTHEST)) });
    },
    text: () => vector(model.get("lam")),
    step: 0.05,
    shape: "diamond",
    size: 7,
    colour: "var(--purple)",
  });
  for (const [name, symbol, low, high] of [["turn", "turn", 0, 360], ["tilt", "tilt", -90, 90]])
    frame.slider({
      label: `${name} of the view in degrees`, symbol, low, high, step: 1, digits: 0,
      get: () => model.get(name), set: (value) => change(model, { [name]: value % 360 }),
    });
  const isShown = ([, X]) => JSON.stringify(X) === JSON.stringify(model.get("X"));
  frame.choice({
    label: "Samples",
    options: [["own", "your own"], ...Object.entries(BODIES).map(([key, [name]]) => [key, name])],
    get: () => Object.keys(BODIES).find((key) => isShown(BODIES[key])) ?? "own",
    set: (key) => key !== "own" && change(model, { X: BODIES[key][1] }),
  });

  const mesh = sphere();
  let kept = { key: null };
  const surfaces = (X) => {
    const key = JSON.stringify(X);
    if (key === kept.key) return kept;
    const hull = mesh.points.map((lam) => supportPoint(X, lam));
    const polar = mesh.points.map((lam) => scale(1 / Math.max(dualNorm(X, lam).value, 0.1), lam));
    kept = {
      key,
      rectified: [mesh.points.map((u) => feature(X, u)), mesh.triangles],
      hull: [hull, hullTriangles(hull)],
      polar: [polar, hullTriangles(polar)],
    };
    return kept;
  };
  frame.draws(model, ["X", "lam", "turn", "tilt"], () => {
    const [X, lam] = [model.get("X"), model.get("lam")];
    const extreme = dualNorm(X, lam);
    const point = scale(extreme.sign, feature(X, extreme.u)).map((value) => value + 0);
    const spikes = X.map((x) => feature(X, scale(1 / norm(x), x)));
    const bodies = surfaces(X);
    const look = axes();
    layers.forEach((layer) => layer.replaceChildren());
    drawSurface(outputs, layers[0], bodies.rectified, look, "var(--green)", 0.8);
    drawSurface(outputs, layers[0], bodies.hull, look, "var(--sky)", 0.35, true);
    drawSurface(duals, layers[1], bodies.polar, look, "var(--purple)", 0.5, true);
    drawSpaceAxes(outputs, layers[0], look, "z");
    drawSpaceAxes(duals, layers[1], look, "λ");
    const flat = (z) => times(look, z).slice(0, 2);
    for (const spike of spikes)
      for (const side of [1, -1])
        drawMark(outputs, layers[0], flat(scale(side, spike)), "star", 5.5, {
          fill: "var(--orange)", stroke: "var(--ink)", "stroke-width": 0.8,
          opacity: dot(look[2], scale(side, spike)) < -0.1 ? 0.35 : null,
        });
    drawArrow(outputs, layers[0], [0, 0], flat(lam), { style: "color: var(--purple)" });
    if (extreme.value > 0) {
      drawMark(outputs, layers[0], flat(point), extreme.sign > 0 ? "circle" : "square", 5.5, {
        fill: "var(--purple)", stroke: "var(--paper)", "stroke-width": 1.5,
      });
      const edge = scale(1 / extreme.value, lam);
      drawLine(duals, layers[1], [0, 0], flat(extreme.value < 1 ? edge : lam), {
        stroke: "var(--ink)", "stroke-dasharray": "3 3", "stroke-width": 1.2,
      });
      drawMark(duals, layers[1], flat(edge), "circle", 4, { fill: "var(--ink)", stroke: "var(--paper)" });
    }
    frame.show(
      { dualNorm: extreme.value, sign: extreme.sign, u: extreme.u, point, spikes },
      describeSpace(X, lam, extreme, point),
    );
  });
  return frame.dispose;
}

function describeSpace(X, lam, { value, sign, u }, point) {
  const owner = X.findIndex((x) => dot(x, u) > (1 - 1e-12) * norm(x));
  const where = value > 1 + 1e-9 ? "outside" : value < 1 - 1e-9 ? "inside" : "on the boundary of";
  return (
    `M(λ) = ${format(value, 4)} for λ = ${vector(lam)}, ${where} the polar set. It is attained at ` +
    `${sign > 0 ? "" : "−"}(Xu)₊ = ${vector(point)}` +
    `${owner >= 0 ? `, the spike of sample ${owner + 1}` : ""}, with u = ${vector(u)}.`
  );
}

// Triangles as the viewer sees them, lit from above on the left; of a convex surface only
// the front, of others all of them, the farthest first.
function drawSurface(plane, layer, [points, triangles], look, colour, opacity, convex = false) {
  const seen = points.map((p) => times(look, p));
  const faces = [];
  for (const corners of triangles) {
    const place = corners.map((k) => seen[k]);
    const normal = normalOf(place);
    const size = norm(normal);
    if (size < 1e-7 || (convex && normal[2] <= 0)) continue;
    const light = Math.abs(dot(normal, [-0.35, 0.55, 0.76])) / size;
    const depth = place[0][2] + place[1][2] + place[2][2];
    faces.push({ depth, shade: Math.round(9 * light), d: plane.path(place, true) });
  }
  faces.sort(convex ? (f, g) => f.shade - g.shade : (f, g) => f.depth - g.depth);
  const group = svg("g", { opacity }, layer);
  for (let k = 0; k < faces.length; ) {
    // neighbours of one shade become one element
    const { shade } = faces[k];
    let d = "";
    for (; k < faces.length && faces[k].shade === shade; k++) d += faces[k].d;
    const mix = `color-mix(in srgb, ${colour} ${45 + 6 * shade}%, #000)`;
    svg("path", { d, style: `fill: ${mix}; stroke: ${mix}`, "stroke-width": 0.7 }, group);
  }
}

function drawSpaceAxes(plane, layer, look, name) {
  [0, 1, 2].forEach((k) => {
    const tip = look.map((row) => 1.7 * row[k]).slice(0, 2);
    drawLine(plane, layer, [0, 0], tip, { stroke: "var(--muted)", "stroke-width": 1 });
    drawLabel(plane, layer, scale(1.06, tip), `${name}_${k + 1}`, { class: "cnn-name" });
  });
}

export default {
  render: (figure) => (figure.model.get("X").length === 3 ? renderSpace : render)(figure),
};
