// @ts-check
// A data set to move, its optimal network, and the certificate of its optimality.
/** @import { Place } from "./parts/frame.js" */
/** @import { Matrix, Point, Vector } from "./parts/mathematics.js" */
/** @import { Plane } from "./parts/plane.js" */
/** @import { Certified } from "./parts/training.js" */
import { drawFit, drawProof } from "./parts/certificate.js";
import { svg } from "./parts/elements.js";
import { addExamples, change, flips, makeFrame, same } from "./parts/frame.js";
import { add, dot, mapped, norm, ORIGIN, roundTo, scale } from "./parts/mathematics.js";
import {
  addHandle, COLOUR, drawArrow, drawAxes, drawLabel, drawLine, makePlane, SHAPE,
} from "./parts/plane.js";
import { atAngle, train, TURN } from "./parts/training.js";
import { format, join, plural, scientific, short } from "./parts/words.js";

/**
 * One feature, and labels that are numbers; or two features, and labels that are signs.
 * @typedef {{ kind: "line" | "plane", features: Matrix, labels: Vector, beta: number }} State
 */
/** @typedef {readonly [name: string, State["kind"], State["features"], State["labels"]]} Example */

const MOST = 10; // points
// name, kind, features, labels; the first is also the default of convex_equivalence.py
/** @type {Readonly<Record<string, Example>>} */
export const EXAMPLES = {
  bend: ["a bend", "line", [[-1.5], [-0.9], [-0.3], [0.3], [0.9], [1.5]], [-1, -0.6, 0.9, 0.2, -0.4, 1.2]],
  outlier: ["a line with an outlier", "line", [[-1.5], [-0.9], [-0.3], [0.3], [0.9], [1.5]], [-0.9, -0.6, -0.3, 1.4, 0.3, 0.6]],
  step: ["a step", "line", [[-1.5], [-1], [-0.5], [0.5], [1], [1.5]], [-1, -1, -1, 1, 1, 1]],
  talk: ["the talk's samples", "plane", [[3, 3], [2, 2], [1, 0]], [1, -1, 1]],
  xor: ["exclusive or", "plane", [[2, 2], [-2, -2], [2, -2], [-2, 2]], [1, 1, -1, -1]],
  fan: ["a fan", "plane", [[3, 0.4], [2.2, 1.8], [0.5, 2.8], [-1.8, 2], [-2.4, -0.6], [1, -2.4]], [1, -1, 1, 1, -1, -1]],
};

/** @type {(place: Place<State>) => () => void} */
function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "The optimal network and its certificate",
    hint:
      "Drag the points, or reach them with the Tab key and press the arrow keys (with Shift: " +
      "larger steps). In the plane, a click or Enter flips the label of a point.",
  });
  const isLine = () => model.get("kind") === "line";
  // with a column of ones beside the one feature
  /** @type {() => Point[]} */
  const samples = () => model.get("features").map(([x, y]) => [x, isLine() ? 1 : y]);

  const left = frame.panel({ label: "Data and network", title: "Data and optimal network" });
  const lineView = makePlane(left, { x: [-2, 2], y: [-2, 2], left: 12, top: 12, width: 336, height: 336 });
  const planeView = makePlane(left, { x: [-3.6, 3.6], y: [-3.6, 3.6] });
  const picture = planeView.layer();
  const right = frame.panel({ label: "Certificate", title: "Prices λᵀ(X u)₊ / β of all unit neurons u" });
  const circle = makePlane(right, { x: [0, 360], y: [-1.3, 1.3], left: 34, top: 8, width: 306, height: 310 });
  const proof = circle.layer();

  for (let k = 0; k < MOST; k++) addPoint(k);

  /** @type {(k: number) => void} */
  function addPoint(k) {
    const label = () => model.get("labels")[k];
    /** @type {(value: number) => void} */
    const setLabel = (value) =>
      change(model, { labels: model.get("labels").map((old, i) => (i === k ? value : old)) });
    /** @type {(value: Vector) => Matrix} */
    const withFeature = (value) =>
      model.get("features").map((old, i) => (i === k ? value : old));
    addHandle(frame, lineView, {
      name: () => `sample ${k + 1}`,
      get: () => [model.get("features")[k][0], label()],
      set: ([x, y]) =>
        change(model, {
          features: withFeature([x]),
          labels: model.get("labels").map((old, i) => (i === k ? y : old)),
        }),
      fit: (p) => mapped(p, (value) => roundTo(value, 0.01)),
      shown: () => isLine() && k < model.get("labels").length,
      step: 0.1,
      size: 6,
      colour: "var(--ink)",
    });
    const handle = addHandle(frame, planeView, {
      name: () => `sample ${k + 1}, label ${short(label())}`,
      get: () => samples()[k],
      set: (p) => change(model, { features: withFeature(p) }),
      fit: (p) => mapped(p, (value) => roundTo(value, 0.05)),
      shown: () => !isLine() && k < model.get("labels").length,
      step: 0.1,
      size: 7,
      colour: () => COLOUR[Math.sign(label()) || 1],
      shape: () => SHAPE[Math.sign(label()) || 1],
    });
    flips(handle, () => model.get("features"), () => setLabel(label() > 0 ? -1 : 1));
  }

  frame.slider({
    label: "regularization beta", symbol: "β", low: 0.01, high: 3, step: 0.01,
    get: () => model.get("beta"), set: (beta) => change(model, { beta }),
  });
  addExamples(frame, "Data", EXAMPLES, {
    isShown: ([, ...data]) => same(data, [model.get("kind"), model.get("features"), model.get("labels")]),
    show: ([, kind, features, labels]) => change(model, { kind, features, labels }),
  });
  const count = () => model.get("labels").length;
  frame.button({
    label: "Add a point",
    disabled: () => count() === MOST,
    press: () =>
      change(model, {
        features: [...model.get("features"), isLine() ? [0] : [2.5, -1]],
        labels: [...model.get("labels"), isLine() ? 0 : 1],
      }),
  });
  frame.button({
    label: "Remove the last",
    disabled: () => count() === 1,
    press: () =>
      change(model, {
        features: model.get("features").slice(0, -1),
        labels: model.get("labels").slice(0, -1),
      }),
  });

  function draw() {
    const [X, y, beta] = [samples(), model.get("labels"), model.get("beta")];
    const result = train(X, y, beta);
    picture.replaceChildren();
    proof.replaceChildren();
    if (isLine()) drawFit(lineView, picture, X, y, result);
    else drawSectors(planeView, picture, result);
    drawProof(circle, proof, X, beta, result);
    frame.show(
      {
        value: result.value,
        bound: result.bound,
        gap: result.gap,
        dualNorm: result.extreme.value,
        lambda: result.lam,
        neurons: result.neurons,
      },
      sentenceOf(beta, result),
    );
  }
  frame.draws(model, ["kind", "features", "labels", "beta"], draw);
  return frame.dispose;
}

/** @type {(beta: number, result: Certified) => string} */
function sentenceOf(beta, { neurons, value, bound, gap, extreme }) {
  const positive = neurons.filter(({ sign }) => sign > 0).length;
  const negative = neurons.length - positive;
  const kinds = join([
    ...(positive ? [`${positive} positive`] : []),
    ...(negative ? [`${negative} negative`] : []),
  ]);
  const network = neurons.length ? `${plural(neurons.length, "neuron")} (${kinds})` : "no neuron";
  const share = extreme.value / beta;
  const size = Math.abs(share - 1) < 1e-6 ? "β" : `${format(share, 3)} β`;
  return (
    `The optimal network has ${network} and the objective ${format(value, 6)}. The largest ` +
    `|λᵀ(Xu)₊| is ${size}, so no network has less than ${format(bound, 6)}; the gap is ` +
    `${gap > 1e-15 ? scientific(gap) : "below 10⁻¹⁵"}.`
  );
}

/** @type {readonly Point[]} */
const SIDES = [[1, 0], [-1, 0], [0, 1], [0, -1]];

// Two features: the regions of both signs, the lines f = 1 and f = -1, and the neurons.
/** @type {(plane: Plane, layer: SVGGElement, result: Certified) => void} */
function drawSectors(plane, layer, { neurons }) {
  const reach = plane.x[1];
  const ties = neurons.flatMap(({ u }) => [1, 3].map((k) => Math.atan2(u[1], u[0]) + (k * Math.PI) / 2));
  const rays = [...ties, 0, 1, 2, 3, 0.5, 1.5, 2.5, 3.5].map((t, k) =>
    ((k < ties.length ? t : (t * Math.PI) / 2) + 2 * TURN) % TURN,
  );
  rays.sort((a, b) => a - b);
  rays.forEach((from, k) => {
    const to = k + 1 < rays.length ? rays[k + 1] : rays[0] + TURN;
    if (to - from < 1e-9) return;
    const middle = atAngle((from + to) / 2);
    const slope = neurons.reduce(
      (sum, { u, sign }) => (dot(u, middle) > 0 ? add(sum, scale(sign, u)) : sum), ORIGIN,
    );
    /** @type {Point[]} */
    let wedge = [ORIGIN, scale(2 * reach, atAngle(from)), scale(2 * reach, atAngle(to))];
    for (const side of SIDES) wedge = above(wedge, side, -reach);
    for (const sign of [1, -1])
      for (const level of [0, 1]) {
        const region = above(wedge, scale(sign, slope), Math.max(level, 1e-9));
        if (region.length < 3) continue;
        svg("path", { d: plane.path(region, true), fill: COLOUR[sign], "fill-opacity": 0.13 }, layer);
        // the side of the region on which f is the level
        const edge = region.filter((p) => Math.abs(sign * dot(slope, p) - level) < 1e-6);
        if (edge.length === 2 && level)
          drawLine(plane, layer, edge[0], edge[1], {
            stroke: COLOUR[sign], "stroke-width": 1.6, "stroke-dasharray": sign > 0 ? null : "6 4",
          });
      }
  });
  drawAxes(plane, layer, ["x_1", "x_2"]);
  neurons.forEach(({ u, sign }, k) => {
    const unit = scale(1 / norm(u), u);
    drawArrow(plane, layer, [0, 0], scale(1.1, unit), { style: `color: ${COLOUR[sign]}` });
    drawLabel(plane, layer, scale(1.4, unit), `${k + 1}`, { fill: COLOUR[sign], class: "cnn-name" });
  });
}

// The part of a convex polygon with side^T p >= level.
/** @type {(corners: Point[], side: Point, level: number) => Point[]} */
function above(corners, side, level) {
  const heights = corners.map((p) => dot(side, p) - level);
  return corners.flatMap((p, k) => {
    const next = (k + 1) % corners.length;
    const kept = heights[k] >= 0 ? [p] : [];
    if (heights[k] * heights[next] < 0) {
      const t = heights[k] / (heights[k] - heights[next]);
      kept.push(mapped(p, (value, j) => value + t * (corners[next][j] - value)));
    }
    return kept;
  });
}

export default { render };
