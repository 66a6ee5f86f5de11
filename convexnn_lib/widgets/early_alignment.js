// @ts-check
// Small neurons that turn towards extremal directions before they grow.
/** @import { Attractor, Moment } from "./parts/alignment.js" */
/** @import { Place } from "./parts/frame.js" */
/** @import { Matrix, Point, Vector } from "./parts/mathematics.js" */
/** @import { Box, Plane } from "./parts/plane.js" */
import { alignment, attractors, flow, isLive } from "./parts/alignment.js";
import { animate, svg } from "./parts/elements.js";
import { addExamples, change, flips, makeFrame, same } from "./parts/frame.js";
import {
  cells, clamp, degrees, dot, inPlane, isZero, linspace, mapped, norm, radians, relu, roundTo,
  scale, times, towards,
} from "./parts/mathematics.js";
import {
  addHandle, COLOUR, drawArrow, drawAxes, drawLabel, drawLine, drawMark, makePlane, SHAPE,
} from "./parts/plane.js";
import { format, plural, scientific, short } from "./parts/words.js";

/**
 * @typedef {{ X: Matrix<Point>, y: Vector, angles: Vector, signs: Vector, log_scale: number,
 *   progress: number }} State
 */
/** @typedef {readonly [name: string, State["X"], State["y"]]} Example */
/** @typedef {Attractor & { sign: number }} Star */

const REACH = 2.3;
const LONGEST = 2.1; // sample
const INNER = 0.6; // radius of the start, of the directions at time 0
const OUTER = 1.8; // and at the end
const NEURONS = 12;
const SAMPLES = 4;
/** @type {Readonly<Record<number, string>>} */
const WORD = { 1: "positive", "-1": "negative" };
// name, samples, labels
/** @type {Readonly<Record<string, Example>>} */
export const DATA = {
  pair: ["the pair", [[1.65, -0.47], [-0.47, 1.35]], [1, -1]],
  quad: ["the quad", [[2, 0.5], [1, 1], [-1, -0.5], [-0.5, -2]], [1, 1, -1, -1]],
  tilted: ["two at 60°: a fractional tie", [[1, 0], [0.5, Math.sqrt(0.75)]], [1, -1]],
  wide: ["two at 100°, one class", [[1, 0], towards(100)], [1, 1]],
};

/** @type {(place: Place<State>) => () => void} */
function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "Neurons that turn before they grow",
    hint:
      "Drag samples and starting directions, or reach them with the Tab key and press the arrow " +
      "keys; a click or Enter flips a label or an output sign. Circles: positive, squares: negative, " +
      "stars: extremal directions (hollow: on a tie), crosses: dead neurons.",
  });
  const compass = frame.panel({
    label: "Directions of the neurons, and the samples",
    title: "Directions ŵ, time outwards",
  });
  const plane = makePlane(compass, { x: [-REACH, REACH], y: [-REACH, REACH] });
  const turns = plane.layer();
  const right = frame.panel({
    label: "Features of the neurons, and their alignment",
    title: "Features (X ŵ)₊ of samples 1 and 2",
  });
  const corner = { left: 62, top: 0, width: 236, height: 236 };
  const clock = { left: 40, top: 262, width: 308, height: 72 };
  const features = svg("g", { "aria-hidden": "true" }, right);

  /** @type {{ key: Parameters<typeof flow>, records: Moment[] } | null} */
  let kept = null;
  const records = () => {
    /** @type {Parameters<typeof flow>} */
    const key = [
      model.get("X"), model.get("y"), model.get("angles"), model.get("signs"),
      10 ** model.get("log_scale"),
    ];
    if (!kept || !same(key, kept.key)) kept = { key, records: flow(...key) };
    return kept.records;
  };
  const now = () => Math.round(model.get("progress") * (records().length - 1));

  /** @type {(name: "y" | "angles" | "signs", k: number, value: number) => void} */
  const replace = (name, k, value) =>
    change(model, { [name]: model.get(name).map((old, i) => (i === k ? value : old)) });
  for (let k = 0; k < NEURONS; k++)
    flips(
      addHandle(frame, plane, {
        name: () => `neuron ${k + 1}, ${WORD[model.get("signs")[k]]}`,
        get: () => scale(INNER, towards(model.get("angles")[k])),
        set: (p) => replace("angles", k, roundTo(degrees(p), 1) % 360),
        fit: (p) => scale(INNER, towards(roundTo(degrees(p), 1))),
        text: () => `starts at ${short(model.get("angles")[k], 0)} degrees`,
        key: ([across, up], length) =>
          scale(INNER, towards(model.get("angles")[k] + (up - across) * length)),
        shown: () => k < model.get("angles").length,
        step: 2,
        size: 4,
        colour: () => COLOUR[model.get("signs")[k]],
        shape: () => SHAPE[model.get("signs")[k]],
      }),
      () => model.get("angles"),
      () => replace("signs", k, -model.get("signs")[k]),
    );
  for (let i = 0; i < SAMPLES; i++)
    flips(
      addHandle(frame, plane, {
        name: () => `sample ${i + 1}, label ${short(model.get("y")[i])}`,
        get: () => model.get("X")[i],
        set: (p) => change(model, { X: model.get("X").map((x, k) => (k === i ? p : x)) }),
        fit: (p) => nearestSample(p),
        shown: () => i < model.get("X").length,
        step: 0.05,
        size: 6.5,
        colour: "var(--ink)",
        shape: () => SHAPE[model.get("y")[i]],
      }),
      () => model.get("X"),
      () => replace("y", i, -model.get("y")[i]),
    );

  /** @type {(() => void) | null} */
  let stop = null;
  const pause = () => {
    stop?.();
    stop = null;
    play.textContent = "Play";
    model.save_changes();
  };
  frame.onCleanup(() => stop?.());
  const play = frame.button({
    label: "Play",
    press: () => {
      if (stop) return pause();
      const from = model.get("progress") < 1 ? model.get("progress") : 0;
      play.textContent = "Pause";
      stop = () => {};
      const end = animate((share) => {
        model.set("progress", from + (1 - from) * share);
        if (share === 1) pause();
      }, 12000 * (1 - from));
      if (stop) stop = end;
    },
  });
  /** @type {(progress: number) => void} */
  const goTo = (progress) => {
    if (stop) pause();
    change(model, { progress: clamp(progress, 0, 1) });
  };
  frame.button({
    label: "Step",
    disabled: () => model.get("progress") === 1,
    press: () => goTo(model.get("progress") + 0.02),
  });
  frame.button({ label: "Back to the start", press: () => goTo(0) });
  frame.slider({
    label: "share of the run", symbol: "run", low: 0, high: 1, step: 0.005,
    get: () => model.get("progress"), set: goTo,
  });
  frame.slider({
    label: "logarithm of the initial scale", symbol: "lg scale", low: -6, high: 0, step: 0.5, digits: 1,
    get: () => model.get("log_scale"), set: (value) => change(model, { log_scale: value }),
  });
  addExamples(frame, "Data", DATA, {
    isShown: ([, X, y]) => same([X, y], [model.get("X"), model.get("y")]),
    show: ([, X, y]) => change(model, { X, y }),
  });

  frame.draws(model, ["X", "y", "angles", "signs", "log_scale", "progress"], () => {
    const [X, y, signs] = [model.get("X"), model.get("y"), model.get("signs")];
    const run = records();
    const at = now();
    const list = [1, -1].flatMap((sign) =>
      attractors(X, y, sign).map((place) => ({ ...place, sign })),
    );
    drawTurns(plane, turns, X, signs, run, at, list);
    features.replaceChildren();
    drawFeatures(right, features, corner, X, signs, run, at, list);
    drawClock(right, features, clock, X, y, signs, run, at);
    const state = run[at];
    const cosines = state.W.map((w, k) => alignment(X, y, w, signs[k]));
    const live = state.W.map((w) => isLive(X, w));
    const reached = state.W.filter(
      (w, k) => live[k] && list.some(({ angle, sign }) => sign === signs[k] && dot(w, towards(angle)) > Math.cos(radians(2)) * norm(w)),
    ).length;
    frame.show(
      {
        count: state.count, time: state.time, W: state.W, a: state.a, logLoss: state.logLoss,
        cosines, live, attractors: list, total: run[run.length - 1].count,
      },
      describe(state, signs, live, cosines, reached),
    );
  });
  return frame.dispose;
}

// A sample is not so short that its direction is unclear, and stays in the picture.
/** @type {(p: Point) => Point} */
function nearestSample(p) {
  const length = norm(p);
  /** @type {Point} */
  const kept = length > LONGEST ? scale(LONGEST / length, p) : length < 0.3 ? [0.3, 0] : p;
  return mapped(kept, (value) => roundTo(value, 0.01));
}

/** @type {(moment: Moment, signs: Vector, live: boolean[], cosines: (number | null)[], reached: number) => string} */
function describe({ time, W, logLoss }, signs, live, cosines, reached) {
  const alive = live.filter(Boolean).length;
  const known = cosines.flatMap((value, k) => (live[k] && value !== null ? [value] : []));
  const range = known.length
    ? `; their cosines with ±XᵀDy are between ${format(Math.min(...known), 3)} and ${format(Math.max(...known), 3)}, ` +
      `and ${reached} ${reached === 1 ? "is" : "are"} within 2° of an extremal direction`
    : "";
  const loss = logLoss > -4 ? format(Math.exp(logLoss), 3) : `exp(${format(logLoss, 1)})`;
  return (
    `Time ${format(time, 1)}, loss ${loss}, longest neuron ${size(Math.max(...W.map(norm)))}. ` +
    `${alive} of ${plural(signs.length, "neuron")} ${alive === 1 ? "is" : "are"} live${range}.`
  );
}
/** @type {(value: number) => string} */
const size = (value) => (value > 0 && value < 0.01 ? scientific(value) : format(value, 2));

/** @type {(run: Moment[], k: number) => number} */
const radiusAt = (run, k) => INNER + ((OUTER - INNER) * run[k].count) / (run[run.length - 1].count || 1);
// records to draw: enough for a smooth line, and the present one
/** @type {(run: Moment[], at: number) => number[]} */
function drawn(run, at) {
  const stride = Math.max(Math.floor(run.length / 250), 1);
  const list = [];
  for (let k = 0; k < at; k += stride) list.push(k);
  return [...list, at];
}
/** @type {(w: Point) => Point} */
const unit = (w) => scale(1 / (norm(w) || 1), w);

/** @type {(plane: Plane, layer: SVGGElement, point: Point, sign: number, alive: boolean, weight: number) => void} */
function drawEnd(plane, layer, point, sign, alive, weight) {
  if (alive)
    drawMark(plane, layer, point, SHAPE[sign], 4 + 3.5 * weight, {
      fill: COLOUR[sign], stroke: "var(--paper)", "stroke-width": 1.2,
    });
  else
    drawMark(plane, layer, point, "cross", 5, { stroke: "var(--grey)", "stroke-width": 2.2, fill: "none" });
}
// the share of each neuron in the output's scale, for the size of its mark
/** @type {(moment: Moment) => number[]} */
const shares = ({ W, a }) => {
  const sizes = W.map((w, k) => Math.sqrt(norm(w) * Math.abs(a[k])));
  const largest = Math.max(...sizes) || 1;
  return sizes.map((value) => value / largest);
};

/** @type {(plane: Plane, layer: SVGGElement, X: Matrix<Point>, signs: Vector, run: Moment[], at: number, list: Star[]) => void} */
function drawTurns(plane, layer, X, signs, run, at, list) {
  layer.replaceChildren();
  /** @type {(from: number, to: number, radius: number) => Point[]} */
  const arc = (from, to, radius) =>
    linspace(from, to, Math.max(Math.ceil((to - from) / 3), 2) + 1).map((t) => scale(radius, towards(t)));
  const sectors = cells(X);
  sectors.forEach(({ start, stop, pattern }) => {
    const dead = pattern.every((on, i) => !on || isZero(X[i]));
    const ring = [...arc(start, stop, OUTER), ...arc(start, stop, INNER).reverse()];
    svg("path", {
      d: plane.path(ring, true), fill: dead ? "var(--grey)" : "var(--green)", "fill-opacity": dead ? 0.22 : 0.07,
    }, layer);
  });
  for (const { start } of sectors.length > 1 ? sectors : [])
    drawLine(plane, layer, scale(0.12, towards(start)), scale(OUTER, towards(start)), {
      stroke: "var(--line)", "stroke-dasharray": "5 4", "stroke-width": 1.1,
    });
  for (const radius of [INNER, OUTER])
    svg("path", { class: "cnn-axis", style: "stroke: var(--line)", d: plane.path(arc(0, 360, radius), true) }, layer);
  X.forEach((x, i) => {
    drawArrow(plane, layer, [0, 0], x, { style: "color: var(--muted)" });
    drawLabel(plane, layer, x, `x_${i + 1}`, { "font-weight": 600 }, [-unit(x)[1] * 17, -unit(x)[0] * 17]);
  });
  for (const { angle, wall, sign } of list)
    drawMark(plane, layer, scale(OUTER + 0.16, towards(angle + sign * 1.5)), "star", 6, {
      fill: wall ? "var(--paper)" : COLOUR[sign], stroke: COLOUR[sign], "stroke-width": 1.5,
    });
  const frames = drawn(run, at);
  const weights = shares(run[at]);
  signs.forEach((sign, k) => {
    const path = frames.map((j) => scale(radiusAt(run, j), unit(run[j].W[k])));
    if (path.length > 1)
      svg("path", {
        d: plane.path(path), fill: "none", stroke: COLOUR[sign], "stroke-width": 1.6,
        "stroke-dasharray": sign > 0 ? null : "6 3",
      }, layer);
    drawEnd(plane, layer, path[path.length - 1], sign, isLive(X, run[at].W[k]), weights[k]);
  });
}

/** @type {(panel: SVGSVGElement, layer: SVGGElement, box: Box, X: Matrix<Point>, signs: Vector, run: Moment[], at: number, list: Star[]) => void} */
function drawFeatures(panel, layer, box, X, signs, run, at, list) {
  // outputs of a unit neuron on two samples
  const pair = X.slice(0, 2);
  /** @type {(w: Point) => Point} */
  const input = (w) => inPlane(times(pair, w));
  const longest = Math.max(...pair.map(norm));
  /** @type {Point} */
  const range = [-0.16 * longest, 1.12 * longest];
  const plane = makePlane(panel, { x: range, y: range, ...box });
  drawAxes(plane, layer);
  drawLabel(plane, layer, [range[1], 0], "1", { class: "cnn-name" }, [-2, 13]);
  drawLabel(plane, layer, [0, range[1]], "2", { class: "cnn-name" }, [-11, 4]);
  const ellipse = linspace(0, 360, 241).map((t) => input(towards(t)));
  const positive = ellipse.map(relu);
  svg("path", {
    d: plane.path(positive, true), fill: "var(--green)", "fill-opacity": 0.13,
    stroke: "var(--green)", "stroke-width": 3.5, "stroke-opacity": 0.45, "stroke-linejoin": "round",
  }, layer);
  const inside = ellipse.map((p) =>
    p.every((value) => value >= range[0] && value <= range[1]) ? p : null,
  );
  svg("path", {
    d: pathOfPieces(plane, inside), fill: "none", stroke: "var(--line)", "stroke-dasharray": "2 3",
  }, layer);
  for (const { angle, wall, sign } of list) {
    const place = relu(input(towards(angle)));
    drawMark(plane, layer, place, "star", 6, {
      fill: wall ? "var(--paper)" : COLOUR[sign], stroke: COLOUR[sign], "stroke-width": 1.5,
    });
  }
  const weights = shares(run[at]);
  const frames = drawn(run, at);
  signs.forEach((sign, k) => {
    const path = frames.map((j) => relu(input(unit(run[j].W[k]))));
    if (path.length > 1)
      svg("path", {
        d: plane.path(path), fill: "none", stroke: COLOUR[sign], "stroke-width": 1.4,
        "stroke-dasharray": sign > 0 ? null : "6 3",
      }, layer);
    drawEnd(plane, layer, path[path.length - 1], sign, isLive(X, run[at].W[k]), weights[k]);
  });
}

// The path through points, interrupted where there is none.
/** @type {(plane: Plane, points: readonly (Point | null)[]) => string} */
function pathOfPieces(plane, points) {
  /** @type {Point[][]} */
  const pieces = [];
  points.forEach((p, k) => {
    if (p && points[k - 1]) pieces[pieces.length - 1].push(p);
    else if (p) pieces.push([p]);
  });
  return pieces.filter((piece) => piece.length > 1).map((piece) => plane.path(piece)).join("");
}

// The cosines of alignment against time, with the present time.
/** @type {(panel: SVGSVGElement, layer: SVGGElement, box: Box, X: Matrix<Point>, y: Vector, signs: Vector, run: Moment[], at: number) => void} */
function drawClock(panel, layer, box, X, y, signs, run, at) {
  const end = run[run.length - 1].time || 1;
  const plane = makePlane(panel, { x: [0, end], y: [0, 1], ...box });
  for (const level of [0, 1]) {
    drawLine(plane, layer, [0, level], [end, level], { class: "cnn-axis" });
    drawLabel(plane, layer, [0, level], String(level), { "text-anchor": "end", class: "cnn-name" }, [-6, 0]);
  }
  drawLabel(plane, layer, [end / 2, 1], "cosine of alignment", { class: "cnn-name" }, [0, -12]);
  drawLabel(plane, layer, [0, 0], "0", { class: "cnn-name" }, [0, 15]);
  drawLabel(plane, layer, [end / 2, 0], "time", { class: "cnn-name" }, [0, 15]);
  drawLabel(plane, layer, [end, 0], format(end, 1), { class: "cnn-name", "text-anchor": "end" }, [0, 15]);
  const frames = drawn(run, run.length - 1);
  signs.forEach((sign, k) => {
    const curve = frames.map((j) => {
      const { W, time } = run[j];
      const value = isLive(X, W[k]) ? alignment(X, y, W[k], sign) : null;
      return value === null || value < 0 ? null : /** @type {const} */ ([time, value]);
    });
    const d = pathOfPieces(plane, curve);
    if (d)
      svg("path", {
        d, fill: "none", stroke: COLOUR[sign], "stroke-width": 1.3, "stroke-dasharray": sign > 0 ? null : "6 3",
      }, layer);
  });
  drawLine(plane, layer, [run[at].time, 0], [run[at].time, 1], { stroke: "var(--ink)", "stroke-width": 1.6 });
}

export default { render };
