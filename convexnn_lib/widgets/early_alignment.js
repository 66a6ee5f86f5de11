import {
  addHandle, animate, cells, change, clamp, degrees, dot, drawArrow, drawAxes, drawLabel,
  drawLine, drawMark, format, isZero, linspace, makeFrame, makePlane, norm, plural, roundTo,
  scale, short, svg, times, transposeTimes,
} from "./shared.js";

// Gradient descent on the logistic loss, divided by the loss: the method "rescaled" of
// convexnn_lib.gradient_flow with the same steps. All that is constant is repeated in
// early_alignment.py.
const PACE = 0.01; // the step is PACE / max |x_i|
const MOST_STEPS = 8000;
const STOP = -12; // the logarithm of the loss at which a run ends
const EVERY = 8; // steps between two records
// above this margin exp(-q) is the logistic loss to rounding
const LARGE_MARGIN = 37;

const radians = (angle) => (angle * Math.PI) / 180;
const towards = (angle) => [Math.cos(radians(angle)), Math.sin(radians(angle))];

// The slope of one step, -grad L / L, and log L. W holds a neuron in each row.
export function slope(X, y, W, a) {
  const inputs = W.map((w) => times(X, w));
  const margins = y.map(
    (label, i) => label * a.reduce((sum, out, k) => sum + out * Math.max(inputs[k][i], 0), 0),
  );
  // lowering all margins by a shift multiplies loss and gradient by the same number
  const least = Math.min(...margins);
  const shift = Math.max(least - LARGE_MARGIN, 0);
  const lowered = margins.map((margin) => margin - shift);
  const loss = lowered.reduce(
    (sum, q) => sum + (q > 0 ? Math.log1p(Math.exp(-q)) : Math.log1p(Math.exp(q)) - q), 0,
  );
  const lam = lowered.map((q, i) => y[i] / (1 + Math.exp(q)) / loss);
  const pulls = inputs.map((input) =>
    transposeTimes(X, lam.map((value, i) => (input[i] > 0 ? value : 0))),
  );
  return {
    W: pulls.map((pull, k) => scale(a[k], pull)),
    a: pulls.map((pull, k) => dot(pull, W[k])),
    logLoss: Math.log(loss) - shift,
  };
}

// The records of a run from unit directions (in degrees), signs and a scale.
export function flow(X, y, angles, signs, size) {
  let W = angles.map((angle) => scale(size, towards(angle)));
  let a = signs.map((sign) => sign * size);
  const step = PACE / Math.max(...X.map(norm));
  const records = [];
  for (let count = 0; ; count++) {
    const move = slope(X, y, W, a);
    const last = count === MOST_STEPS || move.logLoss <= STOP;
    if (last || count % EVERY === 0)
      records.push({ count, time: count * step, W, a, logLoss: move.logLoss });
    if (last) return records;
    W = W.map((w, k) => [w[0] + step * move.W[k][0], w[1] + step * move.W[k][1]]);
    a = a.map((out, k) => out + step * move.a[k]);
  }
}

// The cosine of the angle between w and s X^T D y, D the pattern of w; null where this is
// zero, as it is for a neuron that no sample activates.
export function alignment(X, y, w, sign) {
  const pull = scale(sign, transposeTimes(X, y.map((label, i) => (dot(X[i], w) > 0 ? label : 0))));
  return isZero(pull) ? null : dot(pull, w) / (norm(pull) * norm(w));
}
export const isLive = (X, w) => times(X, w).some((value) => value > 0);

// Where neurons of one sign end up turning at scale zero: angles theta at which the
// turning s X^T D y . t(theta) changes from plus to minus while the neuron grows.
// "wall" says that this is on the tie of a sample, where D is fractional.
export function attractors(X, y, sign) {
  const list = cells(X);
  const pulls = list.map(({ pattern }) =>
    scale(sign, transposeTimes(X, y.map((label, i) => (pattern[i] && !isZero(X[i]) ? label : 0)))),
  );
  const found = [];
  list.forEach(({ start, stop }, k) => {
    const pull = pulls[k];
    const inside = (degrees(pull) - start + 720) % 360;
    if (norm(pull) > 1e-12 && inside > 0 && inside < stop - start)
      found.push({ angle: degrees(pull), wall: false });
    if (list.length === 1) return;
    const before = pulls[(k + list.length - 1) % list.length];
    const turning = towards(start + 90);
    if (dot(pull, towards(start)) > 1e-12 && dot(before, turning) >= 0 && dot(pull, turning) <= 0)
      found.push({ angle: start, wall: true });
  });
  return found;
}

// ---------------------------------------------------------------- the figure

const REACH = 2.3;
const LONGEST = 2.1; // sample
const INNER = 0.6; // radius of the start, of the directions at time 0
const OUTER = 1.8; // and at the end
const NEURONS = 12;
const SAMPLES = 4;
const COLOUR = { 1: "var(--blue)", "-1": "var(--vermilion)" };
const SHAPE = { 1: "circle", "-1": "square" };
const WORD = { 1: "positive", "-1": "negative" };
// name, samples, labels
export const DATA = {
  pair: ["the pair", [[1.65, -0.47], [-0.47, 1.35]], [1, -1]],
  quad: ["the quad", [[2, 0.5], [1, 1], [-1, -0.5], [-0.5, -2]], [1, 1, -1, -1]],
  tilted: ["two at 60°: a fractional tie", [[1, 0], [0.5, Math.sqrt(0.75)]], [1, -1]],
  wide: ["two at 100°, one class", [[1, 0], [Math.cos(radians(100)), Math.sin(radians(100))]], [1, 1]],
};

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
    title: "directions ŵ, time outwards",
  });
  const plane = makePlane(compass, { x: [-REACH, REACH], y: [-REACH, REACH] });
  const turns = plane.layer();
  const right = frame.panel({
    label: "Features of the neurons, and their alignment",
    title: "features (X ŵ)₊ of samples 1 and 2",
  });
  const corner = { left: 62, top: 0, width: 236, height: 236 };
  const clock = { left: 40, top: 262, width: 308, height: 72 };
  const features = svg("g", { "aria-hidden": "true" }, right);

  let kept = { key: null, records: [] };
  const records = () => {
    const names = ["X", "y", "angles", "signs", "log_scale"];
    const [X, y, angles, signs, size] = names.map((name) => model.get(name));
    const key = JSON.stringify([X, y, angles, signs, size]);
    if (key !== kept.key) kept = { key, records: flow(X, y, angles, signs, 10 ** size) };
    return kept.records;
  };
  const now = () => Math.round(model.get("progress") * (records().length - 1));

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
        set: (p) => replace("X", i, p),
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
  const isShown = ([, X, y]) =>
    JSON.stringify([X, y]) === JSON.stringify([model.get("X"), model.get("y")]);
  frame.choice({
    label: "Data",
    options: [["own", "your own"], ...Object.entries(DATA).map(([key, [name]]) => [key, name])],
    get: () => Object.keys(DATA).find((key) => isShown(DATA[key])) ?? "own",
    set: (key) => key !== "own" && change(model, { X: DATA[key][1], y: DATA[key][2] }),
  });

  frame.draws(model, ["X", "y", "angles", "signs", "log_scale", "progress"], () => {
    const [X, y, signs] = ["X", "y", "signs"].map((name) => model.get(name));
    const run = records();
    const at = now();
    const list = [1, -1].flatMap((sign) =>
      attractors(X, y, sign).map((place) => ({ ...place, sign })),
    );
    drawTurns(plane, turns, X, y, signs, run, at, list);
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
        cosines, live, attractors: list, total: run.at(-1).count,
      },
      describe(state, signs, live, cosines, reached),
    );
  });
  return frame.dispose;
}

// A sample is not so short that its direction is unclear, and stays in the picture.
function nearestSample(p) {
  const length = norm(p);
  const kept = length > LONGEST ? scale(LONGEST / length, p) : length < 0.3 ? [0.3, 0] : p;
  return kept.map((value) => roundTo(value, 0.01));
}

// Let a click on a handle, or Enter, flip what it stands for.
function flips(handle, position, flip) {
  let pressed = null;
  handle.addEventListener("pointerdown", () => (pressed = position()));
  handle.addEventListener("pointerup", () => pressed === position() && flip());
  handle.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    flip();
  });
}

function describe({ time, W, logLoss }, signs, live, cosines, reached) {
  const alive = live.filter(Boolean).length;
  const known = cosines.filter((value, k) => live[k] && value !== null);
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
const size = (value) => (value < 0.01 ? value.toExponential(0).replace("e-", "·10^−") : format(value, 2));

const radiusAt = (run, k) => INNER + ((OUTER - INNER) * run[k].count) / (run.at(-1).count || 1);
// records to draw: enough for a smooth line, and the present one
function drawn(run, at) {
  const stride = Math.max(Math.floor(run.length / 250), 1);
  const list = [];
  for (let k = 0; k < at; k += stride) list.push(k);
  return [...list, at];
}
const unit = (w) => scale(1 / (norm(w) || 1), w);

function drawEnd(plane, layer, point, sign, alive, weight) {
  if (!alive)
    return drawMark(plane, layer, point, "cross", 5, { stroke: "var(--grey)", "stroke-width": 2.2, fill: "none" });
  return drawMark(plane, layer, point, SHAPE[sign], 4 + 3.5 * weight, {
    fill: COLOUR[sign], stroke: "var(--paper)", "stroke-width": 1.2,
  });
}
// the share of each neuron in the output's scale, for the size of its mark
const shares = ({ W, a }) => {
  const sizes = W.map((w, k) => Math.sqrt(norm(w) * Math.abs(a[k])));
  const largest = Math.max(...sizes) || 1;
  return sizes.map((value) => value / largest);
};

function drawTurns(plane, layer, X, y, signs, run, at, list) {
  layer.replaceChildren();
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
    drawEnd(plane, layer, path.at(-1), sign, isLive(X, run[at].W[k]), weights[k]);
  });
}

function drawFeatures(panel, layer, box, X, signs, run, at, list) {
  const pair = X.slice(0, 2);
  const longest = Math.max(...pair.map(norm));
  const range = [-0.16 * longest, 1.12 * longest];
  const plane = makePlane(panel, { x: range, y: range, ...box });
  drawAxes(plane, layer);
  drawLabel(plane, layer, [range[1], 0], "1", { class: "cnn-name" }, [-2, 13]);
  drawLabel(plane, layer, [0, range[1]], "2", { class: "cnn-name" }, [-11, 4]);
  const ellipse = linspace(0, 360, 241).map((t) => times(pair, towards(t)));
  const positive = ellipse.map((p) => p.map((value) => Math.max(value, 0)));
  svg("path", {
    d: plane.path(positive, true), fill: "var(--green)", "fill-opacity": 0.13,
    stroke: "var(--green)", "stroke-width": 3.5, "stroke-opacity": 0.45, "stroke-linejoin": "round",
  }, layer);
  const pieces = [[]];
  for (const p of ellipse)
    if (p.every((value) => value >= range[0] && value <= range[1])) pieces.at(-1).push(p);
    else if (pieces.at(-1).length) pieces.push([]);
  svg("path", {
    d: pieces.filter((piece) => piece.length).map((piece) => plane.path(piece)).join(""), fill: "none", stroke: "var(--line)", "stroke-dasharray": "2 3",
  }, layer);
  for (const { angle, wall, sign } of list) {
    const place = times(pair, towards(angle)).map((value) => Math.max(value, 0));
    drawMark(plane, layer, place, "star", 6, {
      fill: wall ? "var(--paper)" : COLOUR[sign], stroke: COLOUR[sign], "stroke-width": 1.5,
    });
  }
  const weights = shares(run[at]);
  const frames = drawn(run, at);
  signs.forEach((sign, k) => {
    const path = frames.map((j) => times(pair, unit(run[j].W[k])).map((value) => Math.max(value, 0)));
    if (path.length > 1)
      svg("path", {
        d: plane.path(path), fill: "none", stroke: COLOUR[sign], "stroke-width": 1.4,
        "stroke-dasharray": sign > 0 ? null : "6 3",
      }, layer);
    drawEnd(plane, layer, path.at(-1), sign, isLive(X, run[at].W[k]), weights[k]);
  });
}

// The cosines of alignment against time, with the present time.
function drawClock(panel, layer, box, X, y, signs, run, at) {
  const end = run.at(-1).time || 1;
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
    const pieces = [[]];
    for (const j of frames) {
      const value = isLive(X, run[j].W[k]) ? alignment(X, y, run[j].W[k], sign) : null;
      if (value === null || value < 0) pieces.push([]);
      else pieces.at(-1).push([run[j].time, value]);
    }
    const d = pieces.filter((piece) => piece.length > 1).map((piece) => plane.path(piece)).join("");
    if (d)
      svg("path", {
        d, fill: "none", stroke: COLOUR[sign], "stroke-width": 1.3, "stroke-dasharray": sign > 0 ? null : "6 3",
      }, layer);
  });
  drawLine(plane, layer, [run[at].time, 0], [run[at].time, 1], { stroke: "var(--ink)", "stroke-width": 1.6 });
}

export default { render };
