// @ts-check
// Training with the squared loss and inputs in the plane, solved to a certified optimum:
//   minimize 1/2 |sum_j s_j (X u_j)_+ - y|^2 + beta sum_j |u_j|  over vectors u_j, s_j = 1, -1.
// A unit vector u(t) = (cos t, sin t) with its sign is an atom s (X u)_+. Rounds of column
// generation: the nonnegative lasso over finitely many atoms, then the largest atoms of
// all arcs between ties, in closed form, for the residual as dual point.
/** @import { Matrix, Pattern, Point, Vector } from "./mathematics.js" */
import { add, clamp, dot, norm, ORIGIN, relu, scale, times } from "./mathematics.js";

/** @typedef {{ from: number, to: number, pattern: Pattern }} Arc */
/** @typedef {{ angle: number, sign: number, value: number }} ArcMaximum */
/** @typedef {{ column: Vector, weight: number }} Weighted */
/** @typedef {Weighted & { angle: number, sign: number }} Atom */
/** @typedef {{ u: Point, sign: number }} Neuron */
/** @typedef {ReturnType<typeof certified>} Certified */
/** @typedef {Certified & { arcs: Arc[], best: number }} Round  best: the largest bound so far */

const TOLERANCE = 1e-10; // relative duality gap at which the rounds end
const ROUNDS = 200;
const TIE = 1e-9; // radians from a tie at which a neuron counts as on it
const PRICED = 1e-7; // by which, relative to beta, no neuron exceeds it any more
export const TURN = 2 * Math.PI;
/** @type {(t: number) => Point} */
export const atAngle = (t) => [Math.cos(t), Math.sin(t)];
/** @type {(X: Matrix, u: Vector) => number[]} */
export const feature = (X, u) => relu(times(X, u));

// The arcs of the unit circle between the ties x_i^T u = 0, with their patterns.
/** @type {(X: Matrix<Point>) => Arc[]} */
export function arcsOf(X) {
  /** @type {number[]} */
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
/** @type {(X: Matrix<Point>, lam: Vector, arcs?: Arc[]) => ArcMaximum[]} */
function arcMaxima(X, lam, arcs = arcsOf(X)) {
  return arcs.flatMap(({ from, to, pattern }) =>
    [1, -1].map((sign) => {
      const pull = X.reduce(
        (sum, row, i) => (pattern[i] ? add(sum, scale(sign * lam[i], row)) : sum), ORIGIN,
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
/** @type {(X: Matrix<Point>, lam: Vector) => ArcMaximum} */
export const dualNorm = (X, lam) =>
  arcMaxima(X, lam).reduce((best, arc) => (arc.value > best.value ? arc : best));

// The optimal network as vectors u_j with signs, its objective, a lower bound on the
// objective of every network, and the residual lambda, which proves it.
// Where only some arcs are given, among the networks whose neurons lie on these.
/** @type {(X: Matrix<Point>, y: Vector, beta: number, arcs?: Arc[]) => Certified} */
export function train(X, y, beta, arcs = arcsOf(X)) {
  /** @type {Atom[]} */
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

// Column generation, round by round: each begins with the optimal network of the arcs so
// far and its certificate, and adds the arc of the neuron that this refutes most.
/** @type {(X: Matrix<Point>, y: Vector, beta: number) => Round[]} */
export function columnRounds(X, y, beta) {
  const all = arcsOf(X);
  /** @type {Arc[]} */
  let chosen = [];
  /** @type {Round[]} */
  const rounds = [];
  let best = -Infinity;
  for (;;) {
    const optimum = train(X, y, beta, chosen);
    best = Math.max(best, optimum.bound);
    rounds.push({ ...optimum, arcs: chosen, best });
    const { value, angle } = optimum.extreme;
    // a direction on a tie belongs to two arcs
    const on = all.filter(({ from, to }) =>
      [0, TURN].some((turn) => angle + turn >= from - TIE && angle + turn <= to + TIE),
    );
    const fresh = on.filter((arc) => !chosen.includes(arc));
    if (value <= beta * (1 + PRICED) || !fresh.length) return rounds;
    chosen = [...chosen, ...fresh];
  }
}

// The objective and the bound of a network, from nothing but its vectors.
/** @param {Matrix<Point>} X @param {Vector} y @param {number} beta @param {Neuron[]} neurons */
export function certified(X, y, beta, neurons) {
  const outputs = y.map(() => 0);
  for (const { u, sign } of neurons)
    feature(X, u).forEach((value, i) => {
      outputs[i] += sign * value;
    });
  const lam = y.map((label, i) => label - outputs[i]);
  const extreme = dualNorm(X, lam);
  const penalty = neurons.reduce((sum, { u }) => sum + norm(u), 0);
  const value = 0.5 * dot(lam, lam) + beta * penalty;
  const bound = lowerBound(lam, y, beta, extreme.value);
  return { neurons, outputs, lam, extreme, value, bound, gap: value - bound };
}

// The dual objective at the best feasible multiple of lambda.
/** @type {(lam: Vector, y: Vector, beta: number, largest: number) => number} */
function lowerBound(lam, y, beta, largest) {
  const square = dot(lam, lam);
  if (square === 0) return 0;
  const factor = clamp(dot(lam, y) / square, 0, largest > 0 ? beta / largest : Infinity);
  return factor * dot(lam, y) - 0.5 * factor * factor * square;
}

/** @type {(atoms: readonly Weighted[]) => number} */
const total = (atoms) => atoms.reduce((sum, atom) => sum + atom.weight, 0);
/** @type {(atoms: readonly Weighted[], y: Vector) => number[]} */
function residual(atoms, y) {
  const left = [...y];
  for (const { column, weight } of atoms)
    column.forEach((value, i) => {
      left[i] -= weight * value;
    });
  return left;
}

// Minimize 1/2 |A c - y|^2 + beta sum(c) over c >= 0 by an active set: the atoms with
// positive weight are kept linearly independent, and the objective falls in every step.
/** @type {(atoms: Atom[], y: Vector, beta: number) => Atom[]} */
function nonnegativeLasso(atoms, y, beta) {
  let chosen = atoms.filter((atom) => atom.weight > 0);
  /** @type {(atom: Atom) => void} */
  const drop = (atom) => {
    atom.weight = 0;
    chosen = chosen.filter((other) => other !== atom);
  };
  // go to the minimum over the chosen atoms, as far as the weights stay positive
  const settle = () => {
    while (chosen.length) {
      const best = leastSquares(chosen.map((atom) => atom.column), y, beta);
      if (best.every((weight) => weight > 0)) {
        chosen.forEach((atom, k) => {
          atom.weight = best[k];
        });
        return;
      }
      const steps = chosen.map(({ weight }, k) =>
        best[k] <= 0 ? weight / (weight - best[k]) : Infinity,
      );
      const leaving = chosen[steps.indexOf(Math.min(...steps))];
      const step = clamp(Math.min(...steps), 0, 1);
      chosen.forEach((atom, k) => {
        atom.weight += step * (best[k] - atom.weight);
      });
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
      chosen.forEach((atom, k) => {
        atom.weight -= step * shares[k];
      });
      drop(leaving);
      entering.weight = step;
    }
    chosen.push(entering);
  }
  return chosen.filter((atom) => atom.weight > 0);
}

// The minimizer of 1/2 |A c - y|^2 + beta sum(c), the columns of A being independent:
// A = Q R by two passes of Gram and Schmidt, then two triangular systems.
/** @type {(columns: readonly Vector[], y: Vector, beta: number) => number[]} */
function leastSquares(columns, y, beta) {
  /** @type {Vector[]} */
  const Q = [];
  /** @type {Vector[]} */
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
  /** @type {number[]} */
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
/** @type {(X: Matrix<Point>, atoms: readonly Atom[]) => Neuron[]} */
function merged(X, atoms) {
  /** @type {Map<string, Neuron>} */
  const neurons = new Map();
  for (const { angle, sign, weight } of atoms) {
    const u = scale(weight, atAngle(angle));
    const sides = times(X, u).map((value, i) =>
      Math.abs(value) <= 1e-12 * norm(X[i]) * norm(u) ? "0" : value > 0 ? "+" : "-",
    );
    const key = `${sign}${sides.join("")}`;
    const before = neurons.get(key)?.u ?? ORIGIN;
    neurons.set(key, { u: add(before, u), sign });
  }
  /** @type {(neuron: Neuron) => number} */
  const turn = ({ u }) => (Math.atan2(u[1], u[0]) + TURN) % TURN;
  return [...neurons.values()].sort((a, b) => turn(a) - turn(b));
}
