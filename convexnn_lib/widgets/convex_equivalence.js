import {
  addHandle, change, clamp, dot, drawArrow, drawAxes, drawLabel, drawLine, drawMark,
  format, join, makeFrame, makePlane, norm, plural, roundTo, scale, short, svg, times,
} from "./shared.js";

// Training with the squared loss and inputs in the plane, solved to a certified optimum:
//   minimize 1/2 |sum_j s_j (X u_j)_+ - y|^2 + beta sum_j |u_j|  over vectors u_j, s_j = 1, -1.
// A unit vector u(t) = (cos t, sin t) with its sign is an atom s (X u)_+. Rounds of column
// generation: the nonnegative lasso over finitely many atoms, then the largest atoms of
// all arcs between ties, in closed form, for the residual as dual point.

const TOLERANCE = 1e-10; // relative duality gap at which the rounds end
const ROUNDS = 200;
const TURN = 2 * Math.PI;
const atAngle = (t) => [Math.cos(t), Math.sin(t)];
export const feature = (X, u) => times(X, u).map((value) => Math.max(value, 0));

// The arcs of the unit circle between the ties x_i^T u = 0, with their patterns.
export function arcsOf(X) {
  const ties = [];
  for (const row of X.filter((row) => norm(row) > 0))
    for (const quarter of [-Math.PI / 2, Math.PI / 2])
      ties.push((Math.atan2(row[1], row[0]) + quarter + 2 * TURN) % TURN);
  ties.sort((a, b) => a - b);
  const starts = ties.filter((t, k) => k === 0 || t - ties[k - 1] > 1e-13);
  if (!starts.length) return [{ from: 0, to: TURN, pattern: X.map(() => true) }];
  return starts.map((from, k) => {
    const to = k + 1 < starts.length ? starts[k + 1] : starts[0] + TURN;
    const pattern = times(X, atAngle((from + to) / 2)).map((value) => value >= 0);
    return { from, to, pattern };
  });
}

// The largest value of sign lambda^T (X u)_+ on each arc, for both signs. On an arc it is
// the inner product of u with a vector.
export function arcMaxima(X, lam, arcs = arcsOf(X)) {
  return arcs.flatMap(({ from, to, pattern }) =>
    [1, -1].map((sign) => {
      const pull = [0, 1].map((j) =>
        X.reduce((sum, row, i) => sum + (pattern[i] ? sign * lam[i] * row[j] : 0), 0),
      );
      let angle = Math.atan2(pull[1], pull[0]);
      while (angle < from) angle += TURN;
      if (angle > to)
        angle = dot(pull, atAngle(from)) >= dot(pull, atAngle(to)) ? from : to;
      return { angle, sign, value: sign * dot(lam, feature(X, atAngle(angle))) };
    }),
  );
}

// M(lambda), the largest |lambda^T (X u)_+| over unit vectors, and where it is attained.
export const dualNorm = (X, lam) =>
  arcMaxima(X, lam).reduce((best, arc) => (arc.value > best.value ? arc : best));

// The optimal network as vectors u_j with signs, its objective, a lower bound on the
// objective of every network, and the residual lambda, which proves it.
export function train(X, y, beta) {
  const arcs = arcsOf(X);
  let active = [];
  for (let round = 0; round < ROUNDS; round++) {
    const lam = residual(active, y);
    const maxima = arcMaxima(X, lam, arcs);
    const largest = Math.max(...maxima.map((arc) => arc.value));
    const value = 0.5 * dot(lam, lam) + beta * total(active);
    if (value - lowerBound(lam, y, beta, largest) <= TOLERANCE * value) break;
    const entering = maxima
      .filter((arc) => arc.value > beta)
      .map(({ angle, sign }) => ({
        angle, sign, weight: 0, column: scale(sign, feature(X, atAngle(angle))),
      }));
    const next = nonnegativeLasso([...active, ...entering], y, beta);
    if (next.length === active.length && next.every((atom, k) => atom === active[k])) break;
    active = next;
  }
  return certified(X, y, beta, merged(X, active));
}

// The objective and the bound of a network, from nothing but its vectors.
export function certified(X, y, beta, neurons) {
  const outputs = y.map(() => 0);
  for (const { u, sign } of neurons)
    feature(X, u).forEach((value, i) => (outputs[i] += sign * value));
  const lam = y.map((label, i) => label - outputs[i]);
  const extreme = dualNorm(X, lam);
  const penalty = neurons.reduce((sum, { u }) => sum + norm(u), 0);
  const value = 0.5 * dot(lam, lam) + beta * penalty;
  const bound = lowerBound(lam, y, beta, extreme.value);
  return { neurons, outputs, lam, extreme, value, bound, gap: value - bound };
}

// The dual objective at the best feasible multiple of lambda.
function lowerBound(lam, y, beta, largest) {
  const square = dot(lam, lam);
  if (square === 0) return 0;
  const factor = clamp(dot(lam, y) / square, 0, largest > 0 ? beta / largest : Infinity);
  return factor * dot(lam, y) - 0.5 * factor * factor * square;
}

const total = (atoms) => atoms.reduce((sum, atom) => sum + atom.weight, 0);
function residual(atoms, y) {
  const left = [...y];
  for (const { column, weight } of atoms)
    column.forEach((value, i) => (left[i] -= weight * value));
  return left;
}

// Minimize 1/2 |A c - y|^2 + beta sum(c) over c >= 0 by an active set: the atoms with
// positive weight are kept linearly independent, and the objective falls in every step.
function nonnegativeLasso(atoms, y, beta) {
  let chosen = atoms.filter((atom) => atom.weight > 0);
  const drop = (atom) => {
    atom.weight = 0;
    chosen = chosen.filter((other) => other !== atom);
  };
  // go to the minimum over the chosen atoms, as far as the weights stay positive
  const settle = () => {
    while (chosen.length) {
      const best = leastSquares(chosen.map((atom) => atom.column), y, beta);
      if (best.every((weight) => weight > 0)) {
        chosen.forEach((atom, k) => (atom.weight = best[k]));
        return;
      }
      const steps = chosen.map(({ weight }, k) =>
        best[k] <= 0 ? weight / (weight - best[k]) : Infinity,
      );
      const leaving = chosen[steps.indexOf(Math.min(...steps))];
      const step = clamp(Math.min(...steps), 0, 1);
      chosen.forEach((atom, k) => (atom.weight += step * (best[k] - atom.weight)));
      drop(leaving);
    }
  };
  let last = Infinity;
  for (;;) {
    settle();
    const lam = residual(chosen, y);
    const value = 0.5 * dot(lam, lam) + beta * total(chosen);
    if (!(value < last)) break;
    last = value;
    const prices = atoms.map((atom) =>
      chosen.includes(atom) ? -Infinity : dot(atom.column, lam),
    );
    const price = Math.max(...prices);
    if (price <= beta * (1 + 1e-13)) break;
    const entering = atoms[prices.indexOf(price)];
    const shares = leastSquares(chosen.map((atom) => atom.column), entering.column, 0);
    const rest = residual(
      chosen.map(({ column }, k) => ({ column, weight: shares[k] })), entering.column,
    );
    if (norm(rest) < 1e-10 * norm(entering.column)) {
      // dependent: it takes the place of a chosen atom, and the outputs stay the same
      const steps = chosen.map(({ weight }, k) =>
        shares[k] > 0 ? weight / shares[k] : Infinity,
      );
      const step = Math.min(...steps);
      if (step === Infinity) break;
      const leaving = chosen[steps.indexOf(step)];
      chosen.forEach((atom, k) => (atom.weight -= step * shares[k]));
      drop(leaving);
      entering.weight = step;
    }
    chosen.push(entering);
  }
  return chosen.filter((atom) => atom.weight > 0);
}

// The minimizer of 1/2 |A c - y|^2 + beta sum(c), the columns of A being independent:
// A = Q R by two passes of Gram and Schmidt, then two triangular systems.
function leastSquares(columns, y, beta) {
  const Q = [];
  const R = [];
  for (const column of columns) {
    let rest = column;
    const heights = Q.map(() => 0);
    for (let pass = 0; pass < 2; pass++)
      Q.forEach((q, k) => {
        const height = dot(q, rest);
        heights[k] += height;
        rest = rest.map((value, i) => value - height * q[i]);
      });
    heights.push(norm(rest));
    Q.push(scale(1 / norm(rest), rest));
    R.push(heights);
  }
  const ones = [];
  R.forEach((heights, k) => {
    const sum = ones.reduce((partial, value, l) => partial + heights[l] * value, 0);
    ones.push((1 - sum) / heights[k]);
  });
  const c = columns.map(() => 0);
  for (let k = c.length - 1; k >= 0; k--) {
    let right = dot(Q[k], y) - beta * ones[k];
    for (let l = k + 1; l < c.length; l++) right -= R[l][k] * c[l];
    c[k] = right / R[k][k];
  }
  return c;
}

// Atoms of one sign in one cone add up to one neuron: the outputs stay, the norm falls.
function merged(X, atoms) {
  const neurons = new Map();
  for (const { angle, sign, weight } of atoms) {
    const u = scale(weight, atAngle(angle));
    const sides = times(X, u).map((value, i) =>
      Math.abs(value) <= 1e-12 * norm(X[i]) * norm(u) ? "0" : value > 0 ? "+" : "-",
    );
    const key = `${sign}${sides.join("")}`;
    const before = neurons.get(key)?.u ?? [0, 0];
    neurons.set(key, { u: [before[0] + u[0], before[1] + u[1]], sign });
  }
  const turn = ({ u }) => (Math.atan2(u[1], u[0]) + TURN) % TURN;
  return [...neurons.values()].sort((a, b) => turn(a) - turn(b));
}

// ---------------------------------------------------------------- the figure

const MOST = 10; // points
const COLOUR = { 1: "var(--blue)", "-1": "var(--vermilion)" };
const SHAPE = { 1: "circle", "-1": "square" };
// name, kind, features, labels; the first is also the default of convex_equivalence.py
export const EXAMPLES = {
  bend: ["a bend", "line", [[-1.5], [-0.9], [-0.3], [0.3], [0.9], [1.5]], [-1, -0.6, 0.9, 0.2, -0.4, 1.2]],
  outlier: ["a line with an outlier", "line", [[-1.5], [-0.9], [-0.3], [0.3], [0.9], [1.5]], [-0.9, -0.6, -0.3, 1.4, 0.3, 0.6]],
  step: ["a step", "line", [[-1.5], [-1], [-0.5], [0.5], [1], [1.5]], [-1, -1, -1, 1, 1, 1]],
  talk: ["the talk's samples", "plane", [[3, 3], [2, 2], [1, 0]], [1, -1, 1]],
  xor: ["exclusive or", "plane", [[2, 2], [-2, -2], [2, -2], [-2, 2]], [1, 1, -1, -1]],
  fan: ["a fan", "plane", [[3, 0.4], [2.2, 1.8], [0.5, 2.8], [-1.8, 2], [-2.4, -0.6], [1, -2.4]], [1, -1, 1, 1, -1, -1]],
};

function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "The optimal network and its certificate",
    hint:
      "Drag the points, or reach them with the Tab key and press the arrow keys (with Shift: " +
      "larger steps). In the plane, a click or Enter flips the label of a point.",
  });
  const isLine = () => model.get("kind") === "line";
  const samples = () => (isLine() ? model.get("features").map(([x]) => [x, 1]) : model.get("features"));

  const left = frame.panel({ label: "Data and network", title: "data and optimal network" });
  const lineView = makePlane(left, { x: [-2, 2], y: [-2, 2], left: 12, top: 12, width: 336, height: 336 });
  const planeView = makePlane(left, { x: [-3.6, 3.6], y: [-3.6, 3.6] });
  const picture = planeView.layer();
  const right = frame.panel({ label: "Certificate", title: "λᵀ(X u)₊ / β for all unit neurons u" });
  const circle = makePlane(right, { x: [0, 360], y: [-1.3, 1.3], left: 34, top: 8, width: 306, height: 310 });
  const proof = circle.layer();

  for (let k = 0; k < MOST; k++) addPoint(k);

  function addPoint(k) {
    const label = () => model.get("labels")[k];
    const setLabel = (value) =>
      change(model, { labels: model.get("labels").map((old, i) => (i === k ? value : old)) });
    const setFeature = (value) =>
      model.get("features").map((old, i) => (i === k ? value : old));
    addHandle(frame, lineView, {
      name: () => `sample ${k + 1}`,
      get: () => [model.get("features")[k][0], label()],
      set: ([x, y]) =>
        change(model, {
          features: setFeature([x]),
          labels: model.get("labels").map((old, i) => (i === k ? y : old)),
        }),
      fit: (p) => p.map((value) => roundTo(value, 0.01)),
      shown: () => isLine() && k < model.get("labels").length,
      step: 0.1,
      size: 6,
      colour: "var(--ink)",
    });
    const flip = () => setLabel(label() > 0 ? -1 : 1);
    const handle = addHandle(frame, planeView, {
      name: () => `sample ${k + 1}, label ${short(label())}`,
      get: () => model.get("features")[k],
      set: (p) => change(model, { features: setFeature(p) }),
      fit: (p) => p.map((value) => roundTo(value, 0.05)),
      shown: () => !isLine() && k < model.get("labels").length,
      step: 0.1,
      size: 7,
      colour: () => COLOUR[Math.sign(label()) || 1],
      shape: () => SHAPE[Math.sign(label()) || 1],
    });
    let pressed = null;
    handle.addEventListener("pointerdown", () => (pressed = model.get("features")));
    handle.addEventListener("pointerup", () => {
      if (pressed === model.get("features")) flip();
    });
    handle.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      flip();
    });
  }

  frame.slider({
    label: "regularization beta", symbol: "β", low: 0.01, high: 3, step: 0.01,
    get: () => model.get("beta"), set: (beta) => change(model, { beta }),
  });
  const same = ([, kind, features, labels]) =>
    kind === model.get("kind") &&
    JSON.stringify([features, labels]) === JSON.stringify([model.get("features"), model.get("labels")]);
  frame.choice({
    label: "Data",
    options: [["own", "your own"], ...Object.entries(EXAMPLES).map(([key, [name]]) => [key, name])],
    get: () => Object.keys(EXAMPLES).find((key) => same(EXAMPLES[key])) ?? "own",
    set: (key) => {
      if (key === "own") return;
      const [, kind, features, labels] = EXAMPLES[key];
      change(model, { kind, features, labels });
    },
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
    (isLine() ? drawFit : drawSectors)(isLine() ? lineView : planeView, picture, X, y, result);
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

function sentenceOf(beta, { neurons, value, bound, gap, extreme }) {
  const positive = neurons.filter(({ sign }) => sign > 0).length;
  const kinds = join(
    [
      positive && `${positive} positive`,
      neurons.length - positive && `${neurons.length - positive} negative`,
    ].filter(Boolean),
  );
  const network = neurons.length ? `${plural(neurons.length, "neuron")} (${kinds})` : "no neuron";
  const share = extreme.value / beta;
  const size = Math.abs(share - 1) < 1e-6 ? "β" : `${format(share, 3)} β`;
  return (
    `The optimal network has ${network} and the objective ${format(value, 6)}. The largest ` +
    `|λᵀ(Xu)₊| is ${size}, so no network has less than ${format(bound, 6)}; the gap is ` +
    `${scientific(gap)}.`
  );
}
function scientific(value) {
  if (value <= 1e-15) return "below 10⁻¹⁵";
  const power = Math.floor(Math.log10(value));
  const raised = [...String(power)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");
  return `${(value / 10 ** power).toFixed(0)}·10${raised}`;
}

// One feature and a bias: the function, its kinks, and the residuals, which are lambda.
function drawFit(plane, layer, X, y, { neurons, outputs }) {
  drawAxes(plane, layer, ["x", "y"]);
  const f = (x) => neurons.reduce((sum, { u, sign }) => sum + sign * Math.max(u[0] * x + u[1], 0), 0);
  X.forEach(([x], i) => {
    const top = clamp(outputs[i], ...plane.y);
    drawLine(plane, layer, [x, y[i]], [x, top], { stroke: "var(--line)", "stroke-width": 1.5 });
  });
  const kinks = neurons.map(({ u }) => (u[0] === 0 ? NaN : -u[1] / u[0]));
  const inside = kinks.filter((x) => x > plane.x[0] && x < plane.x[1]);
  const xs = [plane.x[0], ...inside.sort((a, b) => a - b), plane.x[1]];
  svg(
    "path",
    {
      d: plane.path(cut(xs.map((x) => [x, f(x)]), plane.y)),
      fill: "none", stroke: "var(--green)", "stroke-width": 2.5, "stroke-linejoin": "round",
    },
    layer,
  );
  // several neurons may bend the function at the same place
  const seen = [];
  neurons.forEach(({ sign }, k) => {
    const p = [kinks[k], f(kinks[k])];
    if (!(Math.abs(p[0]) <= plane.x[1] && Math.abs(p[1]) <= plane.y[1])) return;
    const near = seen.filter((x) => Math.abs(x - p[0]) < 0.12).length;
    seen.push(p[0]);
    drawMark(plane, layer, p, SHAPE[sign], 4, { fill: COLOUR[sign], stroke: "var(--paper)" });
    drawLabel(plane, layer, p, `${k + 1}`, { fill: COLOUR[sign], class: "cnn-name" }, [12 * near, 15]);
  });
}

// The part of a polyline between two heights; it leaves and enters at most at its ends.
function cut(points, [low, high]) {
  const kept = [];
  points.forEach((q, k) => {
    if (k > 0) {
      const p = points[k - 1];
      for (const level of p[1] < q[1] ? [low, high] : [high, low])
        if ((p[1] - level) * (q[1] - level) < 0) {
          const t = (level - p[1]) / (q[1] - p[1]);
          kept.push([p[0] + t * (q[0] - p[0]), level]);
        }
    }
    kept.push([q[0], clamp(q[1], low, high)]);
  });
  return kept;
}

// Two features: the regions of both signs, the lines f = 1 and f = -1, and the neurons.
function drawSectors(plane, layer, X, y, { neurons }) {
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
      (sum, { u, sign }) => (dot(u, middle) > 0 ? sum.map((v, j) => v + sign * u[j]) : sum), [0, 0],
    );
    let wedge = [[0, 0], scale(2 * reach, atAngle(from)), scale(2 * reach, atAngle(to))];
    for (const [side, level] of [[[1, 0], -reach], [[-1, 0], -reach], [[0, 1], -reach], [[0, -1], -reach]])
      wedge = above(wedge, side, level);
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
function above(corners, side, level) {
  const heights = corners.map((p) => dot(side, p) - level);
  return corners.flatMap((p, k) => {
    const next = (k + 1) % corners.length;
    const kept = heights[k] >= 0 ? [p] : [];
    if (heights[k] * heights[next] < 0) {
      const t = heights[k] / (heights[k] - heights[next]);
      kept.push(p.map((value, j) => value + t * (corners[next][j] - value)));
    }
    return kept;
  });
}

// lambda^T (X u)_+ / beta around the circle; it stays between -1 and 1.
function drawProof(plane, layer, X, beta, { neurons, lam }) {
  const band = [[0, -1], [360, -1], [360, 1], [0, 1]];
  svg("path", { d: plane.path(band, true), fill: "var(--green)", "fill-opacity": 0.1 }, layer);
  for (const level of [-1, 0, 1]) {
    drawLine(plane, layer, [0, level], [360, level], {
      class: "cnn-axis", stroke: null, style: level ? "stroke: var(--green)" : null,
    });
    drawLabel(plane, layer, [0, level], short(level), { "text-anchor": "end", class: "cnn-name" }, [-6, 0]);
  }
  for (const degrees of [0, 90, 180, 270, 360])
    drawLabel(plane, layer, [degrees, -1.3], `${degrees}°`, { class: "cnn-name" }, [0, 14]);
  drawLabel(plane, layer, [180, -1.3], "angle of u", { class: "cnn-name" }, [0, 30]);
  const arcs = arcsOf(X);
  for (const { from } of arcs)
    drawLine(plane, layer, [(from * 360) / TURN, -1.2], [(from * 360) / TURN, 1.2], {
      stroke: "var(--faint)", "stroke-width": 1, "stroke-dasharray": "2 3",
    });
  const points = [];
  for (let degrees = 0; degrees <= 360; degrees += 1.5) points.push(degrees);
  for (const { from } of arcs) points.push((from * 360) / TURN);
  points.sort((a, b) => a - b);
  const curve = points.map((degrees) => [
    degrees, dot(lam, feature(X, atAngle((degrees * TURN) / 360))) / beta,
  ]);
  svg("path", { d: plane.path(curve), fill: "none", stroke: "var(--ink)", "stroke-width": 2 }, layer);
  neurons.forEach(({ u, sign }, k) => {
    const degrees = ((Math.atan2(u[1], u[0]) + TURN) % TURN) * (360 / TURN);
    drawMark(plane, layer, [degrees, sign], SHAPE[sign], 5.5, { fill: COLOUR[sign], stroke: "var(--paper)" });
    drawLabel(plane, layer, [degrees, sign], `${k + 1}`, { fill: COLOUR[sign] }, [0, -18 * sign]);
  });
}

export default { render };
