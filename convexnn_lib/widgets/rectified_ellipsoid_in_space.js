// @ts-check
// Three samples: their rectified ellipsoid, its hull and polar set, as bodies to turn.
/** @import { Place } from "./parts/frame.js" */
/** @import { Matrix, Point, Point3, Vector } from "./parts/mathematics.js" */
/** @import { Plane } from "./parts/plane.js" */
/** @import { Extreme } from "./parts/rectified.js" */
/** @import { Surface } from "./parts/surfaces.js" */
import { svg } from "./parts/elements.js";
import { addExamples, change, makeFrame, same } from "./parts/frame.js";
import {
  add, clamp, dot, inPlane, inSpace, mapped, norm, ORIGIN, roundTo, scale, times, towards,
} from "./parts/mathematics.js";
import {
  addHandle, drawArrow, drawLabel, drawLine, drawMark, makePlane,
} from "./parts/plane.js";
import {
  dualNorm, feature, outputOf, spikesOf, supportPoint, whereIs,
} from "./parts/rectified.js";
import { cornersOf, hullTriangles, normalOf, sphere } from "./parts/surfaces.js";
import { format, vector } from "./parts/words.js";

/** @typedef {{ X: Matrix<Point3>, lam: Point3, turn: number, tilt: number }} State */
/** @typedef {readonly [name: string, X: State["X"]]} Example */
/** @typedef {readonly [Point3, Point3, Point3]} Axes */

const FARTHEST = 1.6; // entries of lambda
// name, samples; the first are those of the chapter on geometry
/** @type {Readonly<Record<string, Example>>} */
export const BODIES = {
  acute: ["as in the chapter", [[1.5, -0.3, -0.2], [-0.5, 1.2, -0.3], [0.2, 0.3, 1]]],
  orthogonal: ["orthogonal", [[1.2, 0, 0], [0, 1.2, 0], [0, 0, 1.2]]],
  wide: ["pairwise at 110°", [[1.4, 0, 0], [-0.479, 1.316, 0], [-0.479, -0.673, 1.131]]],
  plane: ["in a plane", [[1.2, 0, 0], [-0.6, 1.039, 0], [0.6, 1.039, 0]]],
};
// The rows are the viewer's axes: to the right, up, and towards the viewer.
/** @type {(turn: number, tilt: number) => Axes} */
export function axesOf(turn, tilt) {
  const [[c, s], [e, f]] = [towards(turn), towards(tilt)];
  return [[-s, c, 0], [-c * f, -s * f, e], [c * e, s * e, f]];
}

/** @type {(place: Place<State>) => () => void} */
function render({ model, el }) {
  const frame = makeFrame(el, {
    label: "Rectified ellipsoid, hull and polar set of three samples",
    hint:
      "Drag the pictures or use the sliders to turn them; drag λ in the plane of the screen, or reach " +
      "it with the Tab key and press the arrow keys. Stars: spikes of the samples.",
  });
  const axes = () => axesOf(model.get("turn"), model.get("tilt"));
  /** @type {(label: string, title: string, reach: number) => Plane} */
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

  /** @type {(panel: SVGSVGElement) => void} */
  function turnByDrag(panel) {
    /** @type {Point | null} */
    let last = null;
    panel.style.touchAction = "pan-y";
    panel.style.cursor = "move";
    panel.addEventListener("pointerdown", (event) => {
      const onHandle = event.target instanceof Element && event.target.closest(".cnn-handle");
      if (event.button !== 0 || onHandle) return;
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
      panel.addEventListener(name, () => {
        last = null;
      });
  }

  addHandle(frame, duals, {
    name: () => "dual point lambda",
    get: () => flat(axes(), model.get("lam")),
    set: ([across, up]) => {
      const [right, top, near] = axes();
      const depth = dot(near, model.get("lam"));
      const lam = add(add(scale(across, right), scale(up, top)), scale(depth, near));
      change(model, { lam: mapped(lam, (value) => clamp(roundTo(value, 0.001), -FARTHEST, FARTHEST)) });
    },
    text: () => vector(model.get("lam")),
    step: 0.05,
    shape: "diamond",
    size: 7,
    colour: "var(--purple)",
  });
  frame.slider({
    label: "turn of the view in degrees", symbol: "turn", low: 0, high: 360, step: 1, digits: 0,
    get: () => model.get("turn"), set: (turn) => change(model, { turn: turn % 360 }),
  });
  frame.slider({
    label: "tilt of the view in degrees", symbol: "tilt", low: -90, high: 90, step: 1, digits: 0,
    get: () => model.get("tilt"), set: (tilt) => change(model, { tilt }),
  });
  addExamples(frame, "Samples", BODIES, {
    isShown: ([, X]) => same(X, model.get("X")),
    show: ([, X]) => change(model, { X }),
  });

  /** @type {{ X: State["X"], bodies: ReturnType<typeof bodiesOf> } | null} */
  let kept = null;
  frame.draws(model, ["X", "lam", "turn", "tilt"], () => {
    const [X, lam] = [model.get("X"), model.get("lam")];
    const extreme = dualNorm(X, lam);
    const point = outputOf(X, extreme);
    const spikes = spikesOf(X);
    if (!kept || !same(X, kept.X)) kept = { X, bodies: bodiesOf(X) };
    const { bodies } = kept;
    const look = axes();
    for (const layer of layers) layer.replaceChildren();
    drawSurface(outputs, layers[0], bodies.rectified, look, "var(--green)", 0.8);
    drawSurface(outputs, layers[0], bodies.hull, look, "var(--sky)", 0.35, true);
    drawSurface(duals, layers[1], bodies.polar, look, "var(--purple)", 0.5, true);
    drawSpaceAxes(outputs, layers[0], look, "z");
    drawSpaceAxes(duals, layers[1], look, "λ");
    for (const spike of spikes)
      for (const side of [1, -1])
        drawMark(outputs, layers[0], flat(look, scale(side, spike)), "star", 5.5, {
          fill: "var(--orange)", stroke: "var(--ink)", "stroke-width": 0.8,
          opacity: dot(look[2], scale(side, spike)) < -0.1 ? 0.35 : null,
        });
    drawArrow(outputs, layers[0], ORIGIN, flat(look, lam), { style: "color: var(--purple)" });
    if (extreme.value > 0) {
      drawMark(outputs, layers[0], flat(look, point), extreme.sign > 0 ? "circle" : "square", 5.5, {
        fill: "var(--purple)", stroke: "var(--paper)", "stroke-width": 1.5,
      });
      const edge = scale(1 / extreme.value, lam);
      drawLine(duals, layers[1], ORIGIN, flat(look, extreme.value < 1 ? edge : lam), {
        stroke: "var(--ink)", "stroke-dasharray": "3 3", "stroke-width": 1.2,
      });
      drawMark(duals, layers[1], flat(look, edge), "circle", 4, { fill: "var(--ink)", stroke: "var(--paper)" });
    }
    frame.show(
      { dualNorm: extreme.value, sign: extreme.sign, u: extreme.u, point, spikes },
      describe(X, lam, extreme, point),
    );
  });
  return frame.dispose;
}

// Where the viewer sees a point of space.
/** @type {(look: Axes, z: Vector) => Point} */
const flat = (look, z) => inPlane(times(look, z));

const MESH = sphere();
/** @param {State["X"]} X */
function bodiesOf(X) {
  const { points, triangles } = MESH;
  const hull = points.map((lam) => inSpace(supportPoint(X, lam)));
  const polar = points.map((lam) => scale(1 / Math.max(dualNorm(X, lam).value, 0.1), lam));
  return {
    rectified: { points: points.map((u) => inSpace(feature(X, u))), triangles },
    hull: { points: hull, triangles: hullTriangles(hull) },
    polar: { points: polar, triangles: hullTriangles(polar) },
  };
}

/** @type {(X: State["X"], lam: Point3, extreme: Extreme<Point3>, point: Vector) => string} */
function describe(X, lam, { value, sign, u }, point) {
  const owner = X.findIndex((x) => dot(x, u) > (1 - 1e-12) * norm(x));
  return (
    `M(λ) = ${format(value, 4)} for λ = ${vector(lam)}, ${whereIs(value)} the polar set. It is attained at ` +
    `${sign > 0 ? "" : "−"}(Xu)₊ = ${vector(point)}` +
    `${owner >= 0 ? `, the spike of sample ${owner + 1}` : ""}, with u = ${vector(u)}.`
  );
}

// Triangles as the viewer sees them, lit from above on the left; of a convex surface only
// the front, of others all of them, the farthest first.
/** @type {(plane: Plane, layer: SVGGElement, surface: Surface, look: Axes, colour: string, opacity: number, convex?: boolean) => void} */
function drawSurface(plane, layer, { points, triangles }, look, colour, opacity, convex = false) {
  const seen = points.map((p) => inSpace(times(look, p)));
  /** @type {{ depth: number, shade: number, d: string }[]} */
  const faces = [];
  for (const corners of triangles) {
    const place = cornersOf(seen, corners);
    const normal = normalOf(place);
    const size = norm(normal);
    if (size < 1e-7 || (convex && normal[2] <= 0)) continue;
    const light = Math.abs(dot(normal, [-0.35, 0.55, 0.76])) / size;
    const depth = place[0][2] + place[1][2] + place[2][2];
    faces.push({ depth, shade: Math.round(9 * light), d: plane.path(place.map(inPlane), true) });
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

/** @type {(plane: Plane, layer: SVGGElement, look: Axes, name: string) => void} */
function drawSpaceAxes(plane, layer, look, name) {
  [0, 1, 2].forEach((k) => {
    const tip = inPlane(look.map((row) => 1.7 * row[k]));
    drawLine(plane, layer, ORIGIN, tip, { stroke: "var(--muted)", "stroke-width": 1 });
    drawLabel(plane, layer, scale(1.06, tip), `${name}_${k + 1}`, { class: "cnn-name" });
  });
}

export default { render };
