// @ts-check
// A path of networks: the network at one place, and the objective and the certified lower
// bound all along.
/** @import { Place } from "./parts/frame.js" */
/** @import { Matrix, Point, Vector } from "./parts/mathematics.js" */
/** @import { Plane } from "./parts/plane.js" */
/** @import { Neuron } from "./parts/training.js" */
import { drawFit } from "./parts/certificate.js";
import { animate, svg } from "./parts/elements.js";
import { change, makeFrame } from "./parts/frame.js";
import { clamp, dot, norm, roundTo, scale } from "./parts/mathematics.js";
import {
  addHandle, COLOUR, drawArrow, drawAxes, drawLabel, drawLine, drawMark, makePlane, SHAPE,
} from "./parts/plane.js";
import { certified } from "./parts/training.js";
import { format, plural } from "./parts/words.js";

/**
 * Rows of weights: of each neuron its two first weights and its output weight.
 * @typedef {{ X: Matrix<Point>, y: Vector, beta: number, weights: Matrix, position: Vector,
 *   at: number, place: string }} State
 */

const PLAY = 6000; // milliseconds from one end to the other

// The weights at a place of the path, linear between the rows on either side.
/** @type {(weights: Matrix, position: Vector, at: number) => Vector} */
export function weightsAt(weights, position, at) {
  const after = position.findIndex((value) => value > at);
  if (after < 0) return weights[weights.length - 1];
  if (after === 0) return weights[0];
  const [from, to] = [position[after - 1], position[after]];
  const share = (at - from) / (to - from);
  return weights[after - 1].map((value, i) => value + share * (weights[after][i] - value));
}

// Objective, lower bound and neurons of a row of weights.
/** @type {(X: Matrix<Point>, y: Vector, beta: number, row: Vector) => Shown} */
export function measure(X, y, beta, row) {
  /** @type {Neuron[]} */
  const neurons = [];
  let squares = 0;
  for (let k = 0; k < row.length; k += 3) {
    const [a, b, out] = row.slice(k, k + 3);
    squares += a * a + b * b + out * out;
    if (out && (a || b)) neurons.push({ u: scale(Math.abs(out), /** @type {Point} */ ([a, b])), sign: Math.sign(out) });
  }
  const { outputs, lam, bound } = certified(X, y, beta, neurons);
  return { neurons, outputs, lam, bound, value: 0.5 * dot(lam, lam) + 0.5 * beta * squares };
}
/** @typedef {{ neurons: Neuron[], outputs: Vector, lam: Vector, bound: number, value: number }} Shown */

/** @type {(place: Place<State>) => () => void} */
function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "A path of networks and their certificates",
    hint: "Drag the point on the curve, or reach it with the Tab key and press the arrow keys.",
  });
  const [X, y, beta] = [model.get("X"), model.get("y"), model.get("beta")];
  const [weights, position] = [model.get("weights"), model.get("position")];
  const path = weights.map((row) => measure(X, y, beta, row));
  const isLine = X.every((row) => row[1] === 1);

  const left = frame.panel({
    label: "Network", title: isLine ? "Data and network" : "Samples and neurons |w_2| w_1",
  });
  const across = 1.25 * Math.max(...X.map(([x]) => Math.abs(x)));
  const up = 1.3 * Math.max(...[...path.map(({ outputs }) => outputs), y].flat().map(Math.abs));
  const reach = 1.15 * Math.max(...X.map(norm), ...path.flatMap(({ neurons }) => neurons.map(({ u }) => norm(u))));
  const view = isLine
    ? makePlane(left, { x: [-across, across], y: [-up, up], left: 12, top: 12, width: 336, height: 336 })
    : makePlane(left, { x: [-reach, reach], y: [-reach, reach] });
  const picture = view.layer();

  const right = frame.panel({ label: "Objective and bound", title: "Objective and certified bound" });
  const low = Math.min(...path.map(({ bound }) => bound));
  const high = Math.max(...path.map(({ value }) => value));
  // along optimal networks both are constant, up to rounding
  const margin = Math.max(0.08 * (high - low), 0.05 * high) || 1;
  const chart = makePlane(right, {
    x: [0, 1], y: [low - margin, high + margin], left: 44, top: 8, width: 300, height: 308,
  });
  drawCurves(chart, chart.layer(), path, position, model.get("place"));
  const mark = chart.layer();

  const now = () => measure(X, y, beta, weightsAt(weights, position, model.get("at")));
  addHandle(frame, chart, {
    name: () => "place on the path",
    get: () => [model.get("at"), clamp(now().value, ...chart.y)],
    set: ([at]) => change(model, { at }),
    fit: ([at]) => [clamp(roundTo(at, 0.001), 0, 1), clamp(now().value, ...chart.y)],
    key: ([dx, dy], length) => [model.get("at") + length * (dx + dy), 0],
    step: 0.02,
    shape: "circle",
  });
  let stop = () => {};
  frame.onCleanup(() => stop());
  frame.button({
    label: "Walk the path",
    press: () => {
      stop();
      const start = model.get("at") < 1 ? model.get("at") : 0;
      stop = animate((share) => change(model, { at: start + share * (1 - start) }), PLAY * (1 - start));
    },
  });

  frame.draws(model, ["at"], () => {
    const shown = now();
    picture.replaceChildren();
    mark.replaceChildren();
    if (isLine) {
      drawFit(view, picture, X, y, shown);
      X.forEach(([x], i) => drawMark(view, picture, [x, y[i]], "circle", 5, { fill: "var(--ink)" }));
    } else drawNeurons(view, picture, X, y, shown);
    const at = model.get("at");
    drawLine(chart, mark, [at, clamp(shown.bound, ...chart.y)], [at, clamp(shown.value, ...chart.y)], {
      stroke: "var(--green)", "stroke-width": 3, "stroke-opacity": 0.6,
    });
    frame.show(
      { at, value: shown.value, bound: shown.bound, neurons: shown.neurons },
      `At ${format(at, 3)} of the way: ${plural(shown.neurons.length, "nonzero neuron")}, ` +
        `objective ${format(shown.value, 5)}. Its residual proves that no network has less ` +
        `than ${format(shown.bound, 5)}.`,
    );
  });
  return frame.dispose;
}

/** @type {(plane: Plane, layer: SVGGElement, path: Shown[], position: Vector, place: string) => void} */
function drawCurves(plane, layer, path, position, place) {
  const [low, high] = plane.y;
  drawLine(plane, layer, [0, low], [1, low], { class: "cnn-axis" });
  drawLine(plane, layer, [0, low], [0, high], { class: "cnn-axis" });
  for (const share of [0, 0.5, 1])
    drawLabel(plane, layer, [share, low], format(share, 1), { class: "cnn-name" }, [0, 14]);
  drawLabel(plane, layer, [0.5, low], place, { class: "cnn-name" }, [0, 31]);
  const values = path.flatMap(({ value, bound }) => [value, bound]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  for (const level of format(least, 2) === format(most, 2) ? [most] : [least, most])
    drawLabel(plane, layer, [0, level], format(level, 2), { class: "cnn-name", "text-anchor": "end" }, [-15, 0]);
  for (const [key, sign] of /** @type {const} */ ([["value", -1], ["bound", 1]])) {
    /** @type {Point[]} */
    const points = path.map((shown, k) => [position[k], shown[key]]);
    svg(
      "path",
      { d: plane.path(points), fill: "none", stroke: COLOUR[sign], "stroke-width": 2.2, "stroke-dasharray": sign > 0 ? "7 4" : null },
      layer,
    );
    const words = sign > 0 ? "bound" : "objective";
    drawLabel(plane, layer, points[0], words, { fill: COLOUR[sign], class: "cnn-halo", "text-anchor": "start" }, [8, 13 * sign]);
  }
}

// Samples with the signs of their labels, and the neurons as arrows.
/** @type {(plane: Plane, layer: SVGGElement, X: Matrix<Point>, y: Vector, shown: Shown) => void} */
function drawNeurons(plane, layer, X, y, { neurons }) {
  drawAxes(plane, layer, ["x_1", "x_2"]);
  X.forEach((x, i) => {
    const sign = Math.sign(y[i]) || 1;
    drawMark(plane, layer, x, SHAPE[sign], 6, { fill: COLOUR[sign], stroke: "var(--paper)" });
    drawLabel(plane, layer, x, format(y[i], 1), { class: "cnn-name cnn-halo" }, [0, -16]);
  });
  for (const { u, sign } of neurons)
    drawArrow(plane, layer, [0, 0], u, { style: `color: ${COLOUR[sign]}` });
}

export default { render };
