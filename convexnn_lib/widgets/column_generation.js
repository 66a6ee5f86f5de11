// @ts-check
// Column generation, a round at a time: the certificate of the network refutes it, names
// the neuron that refutes it most, and this neuron's pattern joins the program.
/** @import { Place } from "./parts/frame.js" */
/** @import { Matrix, Point, Vector } from "./parts/mathematics.js" */
/** @import { Plane } from "./parts/plane.js" */
/** @import { Round } from "./parts/training.js" */
import { drawFit, drawProof } from "./parts/certificate.js";
import { svg } from "./parts/elements.js";
import { change, makeFrame } from "./parts/frame.js";
import { clamp, mapped, roundTo } from "./parts/mathematics.js";
import { addHandle, COLOUR, drawLabel, drawLine, drawMark, makePlane, SHAPE } from "./parts/plane.js";
import { arcsOf, columnRounds, TURN } from "./parts/training.js";
import { format, plural } from "./parts/words.js";

/** @typedef {{ features: Vector, labels: Vector, beta: number, rounds: number }} State */

/** @type {(place: Place<State>) => () => void} */
function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "Column generation, round by round",
    hint:
      "Press the button, or drag the points; the Tab key reaches them, and the arrow keys " +
      "move them (with Shift: larger steps).",
  });
  const left = frame.panel({ label: "Data and network", title: "Data and network of this round" });
  const view = makePlane(left, { x: [-2, 2], y: [-2, 2], left: 12, top: 12, width: 336, height: 336 });
  const picture = view.layer();
  const right = frame.panel({ label: "Prices and bracket", title: "Prices λᵀ(X u)₊ / β of all unit neurons u" });
  const prices = makePlane(right, { x: [0, 360], y: [-1, 1] }).layer();

  model.get("labels").forEach((_, k) => {
    addHandle(frame, view, {
      name: () => `sample ${k + 1}`,
      get: () => [model.get("features")[k], model.get("labels")[k]],
      set: ([x, y]) =>
        change(model, {
          features: model.get("features").map((old, i) => (i === k ? x : old)),
          labels: model.get("labels").map((old, i) => (i === k ? y : old)),
        }),
      fit: (p) => mapped(p, (value) => roundTo(value, 0.01)),
      step: 0.1,
      size: 6,
      colour: "var(--ink)",
    });
  });

  /** @type {Round[]} */
  let list = [];
  const at = () => clamp(model.get("rounds"), 0, list.length - 1);
  frame.button({
    label: "Add the worst neuron",
    disabled: () => at() === list.length - 1,
    press: () => change(model, { rounds: at() + 1 }),
  });
  frame.button({
    label: "Take it back",
    disabled: () => at() === 0,
    press: () => change(model, { rounds: at() - 1 }),
  });
  frame.slider({
    label: "regularization beta", symbol: "β", low: 0.01, high: 3, step: 0.01,
    get: () => model.get("beta"), set: (beta) => change(model, { beta }),
  });

  frame.draws(model, ["features", "labels", "beta", "rounds"], () => {
    /** @type {Matrix<Point>} */
    const X = model.get("features").map((x) => [x, 1]);
    const [y, beta] = [model.get("labels"), model.get("beta")];
    list = columnRounds(X, y, beta);
    const round = list[at()];
    for (const layer of [picture, prices]) layer.replaceChildren();
    drawFit(view, picture, X, y, round);
    const most = 1.15 * Math.max(round.extreme.value / beta, 1.1);
    const plane = makePlane(right, {
      x: [0, 360], y: [-most, most], left: 34, top: 4, width: 306, height: 196,
    });
    drawProof(plane, prices, X, beta, round);
    if (at() < list.length - 1) drawWorst(plane, prices, beta, round);
    drawBracket(right, prices, list, at());
    const patterns = arcsOf(X).length;
    frame.show(
      {
        round: at(), last: list.length - 1, patterns: round.arcs.length, all: patterns,
        value: round.value, bound: round.best, price: round.extreme.value / beta,
        neurons: round.neurons,
      },
      sentenceOf(round, beta, at() === list.length - 1, patterns),
    );
  });
  return frame.dispose;
}

/** @type {(round: Round, beta: number, done: boolean, patterns: number) => string} */
function sentenceOf({ arcs, neurons, value, best, extreme }, beta, done, patterns) {
  const found =
    `With ${arcs.length} of ${patterns} patterns: ${plural(neurons.length, "neuron")}, ` +
    `objective ${format(value, 4)}. `;
  return done
    ? `${found}No neuron has a price above β, so no network of any width is better.`
    : `${found}The worst neuron has the price ${format(extreme.value / beta, 2)} β, so the ` +
        `optimum lies between ${format(best, 4)} and ${format(value, 4)}.`;
}

// The neuron that refutes the network, on the curve of the prices.
/** @type {(plane: Plane, layer: SVGGElement, beta: number, round: Round) => void} */
function drawWorst(plane, layer, beta, { extreme: { angle, sign, value } }) {
  /** @type {Point} */
  const p = [(((angle + TURN) % TURN) * 360) / TURN, (sign * value) / beta];
  drawMark(plane, layer, p, "star", 8, { fill: "var(--orange)", stroke: "var(--ink)" });
}

// Objective and largest bound of each round so far: the optimum lies between them.
/** @type {(panel: SVGSVGElement, layer: SVGGElement, list: Round[], now: number) => void} */
function drawBracket(panel, layer, list, now) {
  const top = list[0].value;
  const bounds = list.map(({ best }) => best);
  const margin = 0.1 * (top - bounds[0]) || 1;
  const plane = makePlane(panel, {
    x: [0, Math.max(list.length - 1, 1)], y: [bounds[0] - margin, top + margin],
    left: 34, top: 256, width: 306, height: 74,
  });
  const [first, last] = plane.x;
  drawLine(plane, layer, [first, plane.y[0]], [last, plane.y[0]], { class: "cnn-axis" });
  /** @type {(k: number) => Point} */
  const upper = (k) => [k, list[k].value];
  /** @type {(k: number) => Point} */
  const lower = (k) => [k, bounds[k]];
  const seen = list.slice(0, now + 1).map((_, k) => k);
  svg(
    "path",
    { d: plane.path([...seen.map(upper), ...seen.map(lower).reverse()], true), fill: "var(--green)", "fill-opacity": 0.15 },
    layer,
  );
  for (const [points, sign] of /** @type {const} */ ([[seen.map(upper), -1], [seen.map(lower), 1]])) {
    svg("path", { d: plane.path(points), fill: "none", stroke: COLOUR[sign], "stroke-width": 2 }, layer);
    for (const p of points) drawMark(plane, layer, p, SHAPE[sign], 3.5, { fill: COLOUR[sign] });
  }
  /** @type {Point} */
  const end = [now < 0.7 * last ? 8 : -8, 0];
  const anchor = end[0] > 0 ? "start" : "end";
  drawLabel(plane, layer, upper(now), "objective", { "text-anchor": anchor, fill: COLOUR[-1], class: "cnn-halo" }, [end[0], -11]);
  drawLabel(plane, layer, lower(now), "bound", { "text-anchor": anchor, fill: COLOUR[1], class: "cnn-halo" }, [end[0], 11]);
  drawLabel(plane, layer, [(first + last) / 2, plane.y[0]], `round ${now} of ${list.length - 1}`, { class: "cnn-name" }, [0, 17]);
}

export default { render };
