// @ts-check
// The talk's toy: its non-convex and its convex landscape, with a point to move on both.
/** @import { Place } from "./parts/frame.js" */
/** @import { Point } from "./parts/mathematics.js" */
import { animate, svg } from "./parts/elements.js";
import { change, makeFrame, same } from "./parts/frame.js";
import { drawLandscape } from "./parts/levels.js";
import { linspace, mapped, roundTo } from "./parts/mathematics.js";
import { addHandle, COLOUR, drawAxes, drawMark, drawTicks, makePlane } from "./parts/plane.js";
import { format, vector } from "./parts/words.js";

/** @typedef {{ neuron: Point, second: Point, beta: number }} State */
/** @typedef {readonly Point[]} Network */
/**
 * @typedef {{ objective: number, convex: number, optimum: number, image: Point,
 *   neurons: Network }} Shown
 */

// The talk's toy, one sample x = 1 with the label y = 1. A network is a list of neurons
// [u, a]; the second one is there only to reach points with both v and w positive.
const REACH = 1.6;
const STEP = 0.05;
// heights above the optimum, as in plot_landscapes
const LEVELS = [0.02, 0.08, 0.18, 0.32, 0.5, 0.8, 1.2, 1.8, 2.6, 3.6];

/** @type {(neuron: Point) => number} */
const product = ([u, a]) => Math.max(u, 0) * a;

/** @type {(neurons: Network, beta: number) => number} */
export function objective(neurons, beta) {
  const output = neurons.reduce((sum, neuron) => sum + product(neuron), 0);
  const squares = neurons.reduce((sum, [u, a]) => sum + u * u + a * a, 0);
  return (1 - output) ** 2 + (beta / 2) * squares;
}
/** @type {(p: Point, beta: number) => number} */
export const convexObjective = ([v, w], beta) => (1 - v + w) ** 2 + beta * (v + w);

// The point of the convex program that belongs to a network.
/** @type {(neurons: Network) => Point} */
export function toConvex(neurons) {
  const products = neurons.map(product);
  return [
    products.reduce((sum, p) => sum + Math.max(p, 0), 0),
    products.reduce((sum, p) => sum + Math.max(-p, 0), 0),
  ];
}
// The balanced network that belongs to a point of the convex program.
/** @type {(p: Point) => Network} */
export function toNetwork([v, w]) {
  /** @type {Point} */
  const positive = [Math.sqrt(v), Math.sqrt(v)];
  /** @type {Point} */
  const negative = [Math.sqrt(w), -Math.sqrt(w)];
  if (w === 0) return [positive, [0, 0]];
  return v === 0 ? [negative, [0, 0]] : [positive, negative];
}
/** @type {(beta: number) => Point} */
export const minimizer = (beta) => [Math.max(1 - beta / 2, 0), 0];
/** @type {(beta: number) => number} */
export const optimum = (beta) => convexObjective(minimizer(beta), beta);

// The gradient flow of the objective, sampled at equal times. At u = 0 the slope of the
// positive part counts as 0, so a dead neuron stays dead.
/** @type {(neurons: Network, beta: number, time?: number, count?: number) => Network[]} */
export function flow(neurons, beta, time = 9, count = 180) {
  /** @type {(state: Network) => Network} */
  const velocity = (state) => {
    const residual = 1 - state.reduce((sum, neuron) => sum + product(neuron), 0);
    return state.map(([u, a]) => [
      (u > 0 ? 2 * residual * a : 0) - beta * u,
      2 * residual * Math.max(u, 0) - beta * a,
    ]);
  };
  /** @type {(state: Network, v: Network, h: number) => Network} */
  const shift = (state, v, h) => state.map(([u, a], k) => [u + h * v[k][0], a + h * v[k][1]]);
  const states = [neurons];
  // the field jumps where a neuron dies, so that only small steps help there
  const substeps = 40;
  const h = time / count / substeps;
  let state = neurons;
  for (let k = 0; k < count; k++) {
    for (let j = 0; j < substeps; j++) {
      const middle = shift(state, velocity(state), h / 2);
      state = shift(state, velocity(middle), h);
    }
    states.push(state);
  }
  return states;
}

/** @type {(place: Place<State>) => () => void} */
function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "Two landscapes of one training problem, with a point to move on both",
    hint:
      "Drag the marked point in either landscape, or focus it and press the arrow keys " +
      "(with Shift: larger steps). The button follows the gradient flow of the network.",
  });
  const left = frame.panel({ label: "The non-convex landscape", title: "Weights of the network" });
  const right = frame.panel({ label: "The convex landscape", title: "Variables of the convex program" });
  const box = { top: 6, width: 312, height: 312 };
  const weights = makePlane(left, { x: [-REACH, REACH], y: [-REACH, REACH], left: 24, ...box });
  const program = makePlane(right, { x: [0, REACH], y: [0, REACH], left: 34, ...box });
  for (const panel of [left, right]) panel.setAttribute("viewBox", "0 0 360 346");
  const ground = { left: weights.layer(), right: program.layer() };
  const marks = { left: weights.layer(), right: program.layer() };
  const network = () => [model.get("neuron"), model.get("second")];
  let stop = () => {};
  frame.onCleanup(() => stop());
  /** @type {(neurons: Network) => void} */
  const put = (neurons) => change(model, { neuron: neurons[0], second: neurons[1] });
  /** @type {(neurons: Network) => void} */
  const take = (neurons) => {
    stop();
    put(neurons);
  };

  /** @type {(neuron: Point) => string} */
  const sign = ([, a]) => COLOUR[a < 0 ? -1 : 1];
  /** @type {(p: Point) => Point} */
  const fit = (p) => mapped(p, (value) => roundTo(value, STEP / 5));
  addHandle(frame, weights, {
    name: () => "network",
    get: () => network()[0],
    set: (p) => take([p, network()[1]]),
    colour: () => sign(network()[0]),
    fit,
    step: STEP,
  });
  addHandle(frame, weights, {
    name: () => "second neuron of the network",
    shown: () => model.get("second").some((value) => value !== 0),
    get: () => network()[1],
    set: (p) => take([network()[0], p]),
    colour: () => sign(network()[1]),
    shape: "triangle",
    fit,
    step: STEP,
  });
  addHandle(frame, program, {
    name: () => "point of the convex program",
    get: () => toConvex(network()),
    set: (p) => take(toNetwork(p)),
    colour: "var(--green)",
    shape: "square",
    fit,
    step: STEP,
  });
  frame.slider({
    label: "regularization beta",
    symbol: "β",
    low: 0.1,
    high: 3,
    step: 0.05,
    get: () => model.get("beta"),
    set: (beta) => change(model, { beta }),
  });
  frame.button({
    label: "Follow the gradient flow",
    press: () => {
      stop();
      const states = flow(network(), model.get("beta"));
      stop = animate((share) => put(states[Math.round(share * (states.length - 1))]), 3000);
    },
  });

  /** @type {unknown} */
  let drawn = null;
  frame.draws(model, ["neuron", "second", "beta"], () => {
    const neurons = network();
    const beta = model.get("beta");
    const best = optimum(beta);
    // the shading depends only on these
    const key = [beta, neurons[1]];
    if (!same(key, drawn)) drawGrounds(neurons[1], beta, best);
    drawn = key;
    drawMarks(neurons, beta);
    const image = toConvex(neurons);
    const values = {
      objective: objective(neurons, beta),
      convex: convexObjective(image, beta),
      optimum: best,
      image,
      neurons,
    };
    frame.show(values, describe(values));
  });

  /** @type {(second: Point, beta: number, best: number) => void} */
  function drawGrounds(second, beta, best) {
    ground.left.replaceChildren();
    ground.right.replaceChildren();
    const levels = LEVELS.map((height) => best + height);
    /** @type {(u: number, a: number) => number} */
    const left = (u, a) => objective([[u, a], second], beta);
    /** @type {(v: number, w: number) => number} */
    const right = (v, w) => convexObjective([v, w], beta);
    drawLandscape(weights, ground.left, left, levels, "var(--blue)");
    drawLandscape(program, ground.right, right, levels, "var(--green)");
    drawAxes(weights, ground.left, ["u", "α"]);
    drawAxes(program, ground.right, ["v", "w"]);
    drawTicks(weights, ground.left, [-1, 1], [-1, 1]);
    drawTicks(program, ground.right, [0, 0.5, 1, 1.5], [0.5, 1, 1.5]);
  }

  /** @type {(neurons: Network, beta: number) => void} */
  function drawMarks(neurons, beta) {
    marks.left.replaceChildren();
    marks.right.replaceChildren();
    const [v] = minimizer(beta);
    const star = { fill: "var(--orange)", stroke: "var(--ink)" };
    const cross = { stroke: "var(--ink)", "stroke-width": 2, fill: "none" };
    // networks with the same output lie on a hyperbola; the balanced one has least cost
    const level = product(neurons[0]);
    if (level !== 0) {
      const us = linspace(Math.abs(level) / REACH, REACH, 60);
      const d = weights.path(us.map((u) => [u, level / u]));
      const look = { stroke: "var(--ink)", "stroke-dasharray": "2 4", fill: "none", "stroke-width": 1.4 };
      if (Math.abs(level) < REACH * REACH) svg("path", { d, ...look }, marks.left);
    }
    if (v > 0) drawMark(weights, marks.left, [0, 0], "cross", 5, cross);
    drawMark(weights, marks.left, [Math.sqrt(v), Math.sqrt(v)], "star", 7, star);
    drawMark(program, marks.right, [v, 0], "star", 7, star);
  }
  return frame.dispose;
}

/** @type {(shown: Shown) => string} */
function describe({ objective: value, convex, optimum: best, image, neurons }) {
  const two = neurons[1].some((x) => x !== 0);
  const where = two
    ? `Two neurons, circle ${vector(neurons[0])} and triangle ${vector(neurons[1])}`
    : `Network (u, α) = ${vector(neurons[0])}`;
  const dead = !two && neurons[0][0] <= 0 && image.every((x) => x === 0);
  const excess = value - convex;
  const compare =
    excess < 5e-4
      ? "the same, since the network is balanced"
      : `${format(excess, 3)} less, which balancing the weights gains`;
  return (
    `${where}: objective ${format(value, 3)}. Its image (v, w) = ${vector(image)} in the ` +
    `convex program: ${format(convex, 3)}, ${compare}. The optimum of both is ${format(best, 3)}.` +
    (dead ? " The neuron is not active: the gradient flow leads to 0." : "") +
    (two ? " The left landscape belongs to the circle, with the triangle at rest." : "")
  );
}

export default { render };
