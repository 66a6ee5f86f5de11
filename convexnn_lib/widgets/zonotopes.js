import {
  add, addHandle, cells, change, clamp, convexHull, dot, drawArrow, drawAxes, drawLabel,
  drawLine, drawMark, format, isZero, join, makeFrame, makePlane, nearestInPolygon, norm,
  plural, roundTo, scale, subtract, svg, times, vector,
} from "./shared.js";

const STEP = 0.05;
const REACH = 2;
const MOST = 6;

// Corners of the zonotope sum [0, g_i], counterclockwise: one for each pattern.
export function zonotope(generators) {
  const nonzero = generators.filter((g) => !isZero(g));
  if (!nonzero.length) return [[0, 0]];
  const sums = cells(nonzero).map(({ pattern }) =>
    nonzero.reduce((sum, g, i) => (pattern[i] ? add(sum, g) : sum), [0, 0]),
  );
  return convexHull(sums);
}

export const generatorsOf = (X, lam, sign) =>
  X.flatMap((x, i) => (sign * lam[i] > 0 ? [scale(sign * lam[i], x)] : []));

// The Hausdorff distance of the zonotopes of lambda, and where it is attained. The
// distance from a convex set is convex, so that only corners can be farthest.
export function zonotopeDistance(X, lam) {
  const plus = zonotope(generatorsOf(X, lam, 1));
  const minus = zonotope(generatorsOf(X, lam, -1));
  let best = { value: -1 };
  for (const [sign, from, to] of [[1, plus, minus], [-1, minus, plus]])
    for (const point of from) {
      const nearest = nearestInPolygon(point, to);
      const value = norm(subtract(point, nearest));
      if (value > best.value) best = { value, point, nearest, sign };
    }
  const { value, point, nearest } = best;
  const u = value > 0 ? scale(1 / value, subtract(point, nearest)) : [1, 0];
  return { ...best, u, plus, minus };
}

// What the neuron u contributes: lambda^T (X u)_+.
export const activationValue = (X, lam, u) =>
  dot(lam, times(X, u).map((value) => Math.max(value, 0)));

function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "Two zonotopes and their Hausdorff distance, with samples to move",
    hint:
      "Drag the samples, or focus one and press the arrow keys (with Shift: larger steps); " +
      "the sliders set the entries of λ, whose signs choose the zonotope.",
  });
  const left = frame.panel({ label: "The samples", title: "Samples x_i, and the neuron u" });
  const right = frame.panel({ label: "The zonotopes", title: "Zonotopes of λ" });
  const data = makePlane(left, { x: [-2.3, 2.3], y: [-2.3, 2.3] });
  const ground = data.layer();
  const X = () => model.get("X");
  const lam = () => model.get("lam");
  const colour = (i) => (lam()[i] > 0 ? "var(--blue)" : lam()[i] < 0 ? "var(--vermilion)" : "var(--grey)");
  const shape = (i) => (lam()[i] > 0 ? "circle" : lam()[i] < 0 ? "square" : "diamond");
  for (let i = 0; i < MOST; i++) {
    const there = () => i < X().length;
    addHandle(frame, data, {
      name: () => `sample ${i + 1}`,
      shown: there,
      get: () => X()[i],
      set: (p) => change(model, { X: X().map((x, k) => (k === i ? p : x)) }),
      fit: (p) => p.map((value) => clamp(roundTo(value, STEP), -REACH, REACH)),
      colour: () => colour(i),
      shape: () => shape(i),
      step: STEP,
      size: 6,
    });
  }
  for (let i = 0; i < X().length; i++)
    frame.slider({
      label: `lambda ${i + 1}`,
      symbol: `λ_${i + 1}`,
      low: -1, high: 1, step: 0.05,
      get: () => lam()[i],
      set: (value) => change(model, { lam: lam().map((old, k) => (k === i ? value : old)) }),
    });
  const layer = svg("g", { "aria-hidden": "true" }, right);

  frame.draws(model, ["X", "lam"], () => {
    const found = zonotopeDistance(X(), lam());
    ground.replaceChildren();
    drawAxes(data, ground);
    X().forEach((x, i) => {
      drawArrow(data, ground, [0, 0], x, { color: colour(i) });
      const outward = isZero(x) ? [1, 1] : scale(1 / norm(x), x);
      const shift = [outward[0] * 16 + outward[1] * 6, -outward[1] * 16 + outward[0] * 6];
      drawLabel(data, ground, x, `x_${i + 1}`, { "font-weight": 600 }, shift);
    });
    if (found.value > 0) {
      drawArrow(data, ground, [0, 0], scale(1.2, found.u), { color: "var(--ink)", "stroke-dasharray": "5 3" });
      const beside = [-found.u[1] * 13, -found.u[0] * 13];
      drawLabel(data, ground, scale(1.2, found.u), "u", {}, beside);
    }
    drawZonotopes(found);
    const values = {
      value: found.value, point: found.point, nearest: found.nearest, sign: found.sign,
      u: found.u, plus: found.plus, minus: found.minus,
      attained: activationValue(X(), lam(), found.u),
    };
    frame.show(values, describe(values, X(), lam()));
  });

  function drawZonotopes({ plus, minus, point, nearest, value, sign }) {
    layer.replaceChildren();
    const all = [...plus, ...minus, [0, 0]];
    const range = (k) => [Math.min(...all.map((p) => p[k])), Math.max(...all.map((p) => p[k]))];
    const [xs, ys] = [range(0), range(1)];
    // steps of one half: the picture does not breathe while a sample moves
    const half = Math.ceil(2 * Math.max(0.62 * Math.max(xs[1] - xs[0], ys[1] - ys[0]), 0.5)) / 2;
    const middle = [roundTo((xs[0] + xs[1]) / 2, 0.25), roundTo((ys[0] + ys[1]) / 2, 0.25)];
    const plane = makePlane(right, {
      x: [middle[0] - half, middle[0] + half],
      y: [middle[1] - half, middle[1] + half],
    });
    drawAxes(plane, layer);
    for (const [corners, name, tint, dash] of [
      [plus, "Z_+", "var(--blue)", null],
      [minus, "Z_−", "var(--vermilion)", "7 4"],
    ]) {
      const look = {
        fill: tint, "fill-opacity": 0.2, stroke: tint, "stroke-width": 2, "stroke-dasharray": dash,
        "stroke-linejoin": "round",
      };
      svg("path", { d: plane.path(corners, true), ...look }, layer);
      for (const corner of corners)
        drawMark(plane, layer, corner, dash ? "square" : "circle", 2.6, { fill: tint });
      if (corners.length > 1) drawName(plane, corners, corners === plus ? minus : plus, name, tint);
    }
    drawMark(plane, layer, [0, 0], "cross", 4, { stroke: "var(--ink)", "stroke-width": 2 });
    if (value === 0) return;
    drawLine(plane, layer, point, nearest, { stroke: "var(--ink)", "stroke-width": 3 });
    drawMark(plane, layer, point, "circle", 5, { fill: "var(--ink)", stroke: "var(--paper)" });
    drawMark(plane, layer, nearest, "circle", 5, { fill: "var(--paper)", stroke: "var(--ink)", "stroke-width": 2 });
    const across = [point[1] - nearest[1], point[0] - nearest[0]];
    const label = drawLabel(
      plane, layer, scale(0.5, add(point, nearest)), format(value, 3),
      { class: "cnn-halo", "font-weight": 700 }, scale(26 / norm(across), across),
    );
    label.dataset.sign = sign;
  }

  // outside, at the middle of the edge that is farthest from the other zonotope
  function drawName(plane, corners, other, name, tint) {
    const centre = (list) => scale(1 / list.length, list.reduce(add, [0, 0]));
    const middles = corners.map((a, k) => scale(0.5, add(a, corners[(k + 1) % corners.length])));
    const far = middles.map((p) => norm(subtract(p, centre(other))));
    const place = middles[far.indexOf(Math.max(...far))];
    const outward = subtract(place, centre(corners));
    const shift = scale(16 / (norm(outward) || 1), [outward[0], -outward[1]]);
    drawLabel(plane, layer, place, name, { style: `fill: ${tint}`, "font-weight": 700 }, shift);
  }
  return frame.dispose;
}

function describe({ value, point, nearest, sign, u, plus, minus }, X, lam) {
  if (value === 0) return "Both zonotopes are the same: their Hausdorff distance M(λ) is 0.";
  const side = (s) => join(lam.flatMap((l, i) => (s * l > 0 ? [`x${i + 1}`] : []))) || "no sample";
  const [own, other] = sign > 0 ? ["Z+", "Z−"] : ["Z−", "Z+"];
  return (
    `Z+ of ${side(1)} has ${plural(plus.length, "corner")}, Z− of ${side(-1)} has ${minus.length}. ` +
    `Their Hausdorff distance M(λ) is ${format(value, 3)}, from the corner ${vector(point)} of ` +
    `${own} to ${vector(nearest)} in ${other}. The neuron u = ${vector(u)} attains the dual norm.`
  );
}

export default { render };
