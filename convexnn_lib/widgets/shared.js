// What all interactive figures share: the frame with its text for readers of the
// picture and of the screen, planes and handles, and small pieces of mathematics.

// ---------------------------------------------------------------- linear algebra

export const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
export const norm = (a) => Math.hypot(...a);
export const add = (a, b) => a.map((value, i) => value + b[i]);
export const subtract = (a, b) => a.map((value, i) => value - b[i]);
export const scale = (factor, a) => a.map((value) => factor * value);
export const cross = (a, b) => a[0] * b[1] - a[1] * b[0];
export const times = (X, u) => X.map((row) => dot(row, u));
// X^T v
export const transposeTimes = (X, v) =>
  X.reduce((sum, row, i) => add(sum, scale(v[i], row)), X[0].map(() => 0));
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
export const roundTo = (value, step) => Math.round(value / step) * step || 0;
export const linspace = (low, high, count) =>
  Array.from({ length: count }, (_, k) => low + ((high - low) * k) / (count - 1));

// The point of the segment from a to b that is nearest to z.
export function nearestOnSegment(z, a, b) {
  const along = subtract(b, a);
  const length = dot(along, along);
  const t = length ? clamp(dot(subtract(z, a), along) / length, 0, 1) : 0;
  return add(a, scale(t, along));
}

// The corners of the convex hull of points in the plane, counterclockwise.
export function convexHull(points) {
  const sorted = [...points]
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .filter((p, k, list) => !k || p[0] !== list[k - 1][0] || p[1] !== list[k - 1][1]);
  const chain = (list) => {
    const kept = [];
    for (const p of list) {
      while (
        kept.length > 1 &&
        cross(subtract(kept.at(-1), kept.at(-2)), subtract(p, kept.at(-1))) <= 0
      )
        kept.pop();
      kept.push(p);
    }
    return kept.slice(0, -1);
  };
  const corners = [...chain(sorted), ...chain([...sorted].reverse())];
  return corners.length ? corners : sorted.slice(0, 1);
}

// The point of a convex polygon (corners counterclockwise; 1 or 2 corners are a point
// or a segment) that is nearest to z.
export function nearestInPolygon(z, corners) {
  const edges = corners.map((a, k) => [a, corners[(k + 1) % corners.length]]);
  const inside =
    corners.length > 2 &&
    edges.every(([a, b]) => cross(subtract(b, a), subtract(z, a)) >= 0);
  if (inside) return [...z];
  const candidates = edges.map(([a, b]) => nearestOnSegment(z, a, b));
  const distances = candidates.map((p) => norm(subtract(z, p)));
  return candidates[distances.indexOf(Math.min(...distances))];
}

// ---------------------------------------------------------------- cells in the plane

export const isZero = (x) => x.every((value) => value === 0);
export const degrees = (v) => ((Math.atan2(v[1], v[0]) * 180) / Math.PI + 360) % 360;

// Groups of numbers of rows that are parallel or antiparallel; zero rows are in none.
// Exact where the products are, for example on a grid of binary fractions.
export function parallelClasses(X) {
  const classes = [];
  X.forEach((x, i) => {
    if (isZero(x)) return;
    const same = classes.find((group) => cross(X[group[0]], x) === 0);
    if (same) same.push(i);
    else classes.push([i]);
  });
  return classes;
}

// The open cells in the order of their angles, each with the rays between which it lies
// (in degrees), a vector of it and its pattern. A zero row is always active.
export function cells(X) {
  const rays = parallelClasses(X)
    .map((group) => scale(1 / norm(X[group[0]]), X[group[0]]))
    .flatMap(([a, b]) => [[-b, a], [b, -a]])
    .sort((p, q) => degrees(p) - degrees(q));
  if (!rays.length) return [{ start: 0, stop: 360, u: [1, 0], pattern: X.map(() => true) }];
  return rays.map((ray, k) => {
    const next = rays[(k + 1) % rays.length];
    // two rays alone are opposite: the cell between them is a half plane
    const u = rays.length === 2 ? [-ray[1], ray[0]] : add(ray, next);
    const start = degrees(ray);
    const stop = start + ((degrees(next) - start + 360) % 360);
    return { start, stop, u, pattern: times(X, u).map((value) => value >= 0) };
  });
}

// ---------------------------------------------------------------- words and numbers

// A number as text: fixed digits, a true minus sign, no negative zero.
export function format(value, digits = 2) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "–";
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
}
// As short as possible: 1.25, 3, −0.5.
export function short(value, digits = 3) {
  const text = format(value, digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
export const vector = (a, digits = 2) => `(${a.map((v) => short(v, digits)).join(", ")})`;
export const bits = (pattern) => pattern.map((on) => (on ? "1" : "0")).join("");
export const plural = (count, one, many = `${one}s`) =>
  `${count} ${count === 1 ? one : many}`;
export const join = (words) =>
  words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

// ---------------------------------------------------------------- elements

const SVG = "http://www.w3.org/2000/svg";

// An SVG element; attributes with the value null are left out.
export function svg(name, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== null) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}
export function html(name, attributes = {}, parent = null, text = null) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== null) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  parent?.append(element);
  return element;
}

// Mathematics in a line of text: Latin letters are set in italics, _ and ^ (followed
// by a character or a group in braces) lower and raise. Works inside SVG and HTML.
export function typeset(element, source) {
  element.replaceChildren();
  const inSvg = element.namespaceURI === SVG;
  const pieces = source.matchAll(/([_^])(?:\{([^}]*)\}|(.))|([A-Za-z])(?![A-Za-z])|([A-Za-z]+|.)/gu);
  let shift = 0;
  for (const [, mark, group, single, letter, other] of pieces) {
    const text = group ?? single ?? letter ?? other;
    if (!inSvg) {
      const name = mark === "_" ? "sub" : mark === "^" ? "sup" : letter ? "i" : "span";
      html(name, {}, element, text);
      continue;
    }
    const piece = svg("tspan", {}, element);
    piece.textContent = text;
    const level = mark === "_" ? 0.28 : mark === "^" ? -0.38 : 0;
    if (level !== shift) piece.setAttribute("dy", `${(level - shift).toFixed(2)}em`);
    if (mark) piece.setAttribute("font-size", "0.75em");
    if (letter) piece.setAttribute("font-style", "italic");
    // dy counts in the piece's own font size
    if (mark && level !== shift) piece.setAttribute("dy", `${(level - shift) / 0.75}em`);
    shift = level;
  }
  return element;
}

// ---------------------------------------------------------------- motion and themes

export const prefersReducedMotion = () =>
  window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// Call update(share) with shares from 0 to 1 over a time in milliseconds; at once with
// 1 if the reader wants no motion. Returns a function that stops it.
export function animate(update, duration) {
  if (prefersReducedMotion()) {
    update(1);
    return () => {};
  }
  let start = null;
  let request = requestAnimationFrame(function step(now) {
    start ??= now;
    const share = Math.min((now - start) / duration, 1);
    update(share);
    if (share < 1) request = requestAnimationFrame(step);
  });
  return () => cancelAnimationFrame(request);
}

// Call draw when the page changes between its light and its dark theme. Colours that
// come from CSS follow by themselves; this is for pixels.
export function onTheme(draw) {
  const watch = new MutationObserver(draw);
  for (const element of [document.documentElement, document.body])
    watch.observe(element, {
      attributes: true,
      attributeFilter: ["data-theme", "data-jp-theme-light", "class"],
    });
  return () => watch.disconnect();
}

// ---------------------------------------------------------------- the frame

// The frame of a figure: panels, controls, a sentence that says what is shown, and the
// same sentence for screen readers once the reader pauses.
//   frame.panel({label, width, height, title})  an SVG with that many units
//   frame.side(label)                           a block of HTML beside the panels
//   frame.slider / frame.button / frame.choice  controls below
//   frame.draws(model, names, draw)             draw now, and when a trait changes
//   frame.show(values, sentence)                what the figure shows, for all readers
// Values are kept as JSON in the attribute data-shown, where tests read them.
export function makeFrame(el, { label, hint }) {
  const root = html("div", { class: "cnn-figure", role: "group", "aria-label": label }, el);
  const panels = html("div", { class: "cnn-panels" }, root);
  const controls = html("div", { class: "cnn-controls" }, root);
  const sentence = html("p", { class: "cnn-sentence", "aria-hidden": "true" }, root);
  const status = html("p", { class: "cnn-unseen", role: "status" }, root);
  html("p", { class: "cnn-hint" }, root, hint);
  const cleanup = [];
  const handles = [];
  let timer = null;

  const frame = {
    root,
    panels,
    controls,
    onCleanup: (action) => cleanup.push(action),
    register: (handle) => handles.push(handle),
    panel({ label, title = null, width = 360, height = 360 }) {
      const holder = html("div", { class: "cnn-panel" }, panels);
      if (title !== null) typeset(html("div", { class: "cnn-title" }, holder), title);
      return svg(
        "svg",
        { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label },
        holder,
      );
    },
    side: (label) =>
      html("div", { class: "cnn-side", role: "group", "aria-label": label }, panels),
    // A range from low to high, bound to get() and set(value).
    slider({ label, symbol = label, low, high, step, get, set, digits = 2, parent = controls }) {
      const holder = html("label", { class: "cnn-slider" }, parent);
      typeset(html("span", { "aria-hidden": "true" }, holder), symbol);
      const input = html(
        "input",
        { type: "range", min: low, max: high, step, "aria-label": label },
        holder,
      );
      const value = html("output", { "aria-hidden": "true" }, holder);
      input.addEventListener("input", () => set(Number(input.value)));
      handles.push({
        update() {
          if (Number(input.value) !== get()) input.value = get();
          value.textContent = format(get(), digits);
          input.setAttribute("aria-valuetext", format(get(), digits));
        },
      });
      return input;
    },
    button({ label, press, disabled = () => false, parent = controls }) {
      const button = html("button", { type: "button", class: "cnn-button" }, parent, label);
      // a button that cannot be pressed now keeps the focus: it is not switched off
      button.addEventListener("click", () => disabled() || press());
      handles.push({
        update: () => button.setAttribute("aria-disabled", String(disabled())),
      });
      return button;
    },
    // One of several options, [value, text] each.
    choice({ label, options, get, set, parent = controls }) {
      const holder = html("label", { class: "cnn-choice" }, parent);
      html("span", {}, holder, label);
      const select = html("select", {}, holder);
      for (const [value, text] of options) html("option", { value }, select, text);
      select.addEventListener("change", () => set(select.value));
      handles.push({ update: () => (select.value = get()) });
      return select;
    },
    draws(model, names, draw) {
      let waiting = false;
      const run = () => {
        waiting = false;
        draw();
        for (const handle of handles) handle.update();
      };
      // several traits that change together are drawn once
      const schedule = () => {
        if (!waiting) queueMicrotask(run);
        waiting = true;
      };
      for (const name of names) {
        model.on(`change:${name}`, schedule);
        cleanup.push(() => model.off(`change:${name}`, schedule));
      }
      run();
      return schedule;
    },
    show(values, text) {
      root.dataset.shown = JSON.stringify(values);
      sentence.textContent = text;
      clearTimeout(timer);
      timer = setTimeout(() => (status.textContent = text), 500);
    },
    // What render returns: undoes what reaches beyond the element.
    dispose: () => {
      clearTimeout(timer);
      for (const action of cleanup) action();
    },
  };
  return frame;
}

// Change traits of the model, in the page and in Python.
export function change(model, values) {
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  model.save_changes();
}

// ---------------------------------------------------------------- planes and handles

// A rectangle of an SVG panel that shows the coordinates x = [low, high] and y.
//   plane.layer(attributes)  a group for drawings that nobody has to read
//   plane.pixel([x, y])      where a point is drawn;  plane.point([px, py]) the inverse
export function makePlane(panel, { x, y, left = 0, top = 0, width, height }) {
  const box = panel.viewBox.baseVal;
  width ??= box.width - left;
  height ??= box.height - top;
  const plane = {
    panel, x, y, left, top, width, height,
    unit: width / (x[1] - x[0]),
    pixel: ([a, b]) => [
      left + ((a - x[0]) / (x[1] - x[0])) * width,
      top + ((y[1] - b) / (y[1] - y[0])) * height,
    ],
    point: ([px, py]) => [
      x[0] + ((px - left) / width) * (x[1] - x[0]),
      y[1] - ((py - top) / height) * (y[1] - y[0]),
    ],
    layer: (attributes = {}) => svg("g", { "aria-hidden": "true", ...attributes }, panel),
    path: (points, close = false) =>
      "M" +
      points.map((p) => plane.pixel(p).map((v) => v.toFixed(2)).join(",")).join("L") +
      (close ? "Z" : ""),
  };
  return plane;
}

// Thin lines through the origin, as far as the plane reaches.
export function drawAxes(plane, layer, names = null) {
  const [ox, oy] = plane.pixel([0, 0]);
  const { left, top, width, height } = plane;
  svg("path", { class: "cnn-axis", d: `M${left},${oy}H${left + width}` }, layer);
  svg("path", { class: "cnn-axis", d: `M${ox},${top}V${top + height}` }, layer);
  if (!names) return;
  typeset(
    svg("text", { class: "cnn-name", x: left + width - 4, y: oy - 6, "text-anchor": "end" }, layer),
    names[0],
  );
  typeset(svg("text", { class: "cnn-name", x: ox + 6, y: top + 12 }, layer), names[1]);
}

export function drawLine(plane, layer, from, to, attributes = {}) {
  return svg("path", { d: plane.path([from, to]), fill: "none", ...attributes }, layer);
}

// An arrow; short ones have a small head.
export function drawArrow(plane, layer, from, to, attributes = {}) {
  const [a, b] = [plane.pixel(from), plane.pixel(to)];
  const along = subtract(b, a);
  const length = norm(along);
  const group = svg("g", { class: "cnn-arrow", ...attributes }, layer);
  if (length < 1) return group;
  const size = Math.min(9, 0.5 * length);
  const unit = scale(1 / length, along);
  const back = subtract(b, scale(size, unit));
  const side = scale(0.4 * size, [-unit[1], unit[0]]);
  svg("path", { d: `M${a}L${back}`, fill: "none", stroke: "currentColor" }, group);
  svg("path", { d: `M${b}L${add(back, side)}L${subtract(back, side)}Z`, fill: "currentColor" }, group);
  return group;
}

export function drawLabel(plane, layer, point, source, attributes = {}, shift = [0, 0]) {
  const [x, y] = add(plane.pixel(point), shift);
  const label = svg(
    "text",
    { x, y, "text-anchor": "middle", "dominant-baseline": "central", ...attributes },
    layer,
  );
  return typeset(label, source);
}

// A mark: circle, square, diamond, triangle, star or cross, with its centre and size in
// pixels. Shape repeats what colour says.
export function markPath(shape, [x, y], size) {
  const turn = (count, radii, start = -Math.PI / 2) =>
    "M" +
    Array.from({ length: count }, (_, k) => {
      const angle = start + (2 * Math.PI * k) / count;
      const radius = size * radii[k % radii.length];
      return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)].map((v) => v.toFixed(2));
    }).join("L") +
    "Z";
  if (shape === "circle")
    return `M${x - size},${y}a${size},${size} 0 1 0 ${2 * size},0a${size},${size} 0 1 0 ${-2 * size},0Z`;
  if (shape === "square") return turn(4, [1.2], Math.PI / 4);
  if (shape === "diamond") return turn(4, [1.3]);
  if (shape === "triangle") return turn(3, [1.35]);
  if (shape === "star") return turn(10, [1.5, 0.65]);
  return `M${x - size},${y - size}L${x + size},${y + size}M${x - size},${y + size}L${x + size},${y - size}`;
}
export function drawMark(plane, layer, point, shape, size, attributes = {}) {
  return svg("path", { d: markPath(shape, plane.pixel(point), size), ...attributes }, layer);
}

// A point that mouse, touch and arrow keys move.
//   name()     what it is called, for screen readers
//   get()      its position; set(position) takes a new one
//   fit(p)     the admissible position nearest to p (grids, curves); the keys move by
//              step, by five steps with Shift
//   text(p)    its position in words
//   shown()    whether it is there at all
export function addHandle(frame, plane, options) {
  const { name, get, set, step } = options;
  const { shape = "circle", size = 7, colour = "var(--ink)", shown = () => true } = options;
  const fit = options.fit ?? ((p) => p);
  const text = options.text ?? ((p) => vector(p));
  const group = svg(
    "g",
    {
      class: "cnn-handle",
      tabindex: 0,
      role: "slider",
      "aria-roledescription": "movable point",
    },
    plane.panel,
  );
  svg("circle", { class: "cnn-grip", r: 22 }, group);
  svg("circle", { class: "cnn-ring", r: size + 5 }, group);
  const mark = svg("path", { class: "cnn-mark", d: markPath(shape, [0, 0], size) }, group);
  const inside = (p) => [clamp(p[0], ...plane.x), clamp(p[1], ...plane.y)];
  const move = (p) => {
    const next = fit(inside(p));
    if (next.some((value, i) => value !== get()[i])) set(next);
  };

  let offset = null;
  const pointer = (event) => {
    const place = new DOMPoint(event.clientX, event.clientY);
    const { x, y } = place.matrixTransform(plane.panel.getScreenCTM().inverse());
    return plane.point([x, y]);
  };
  group.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    group.focus({ preventScroll: true });
    group.setPointerCapture(event.pointerId);
    offset = subtract(get(), pointer(event));
    group.classList.add("cnn-held");
  });
  group.addEventListener("pointermove", (event) => {
    if (offset) move(add(pointer(event), offset));
  });
  const release = () => {
    offset = null;
    group.classList.remove("cnn-held");
  };
  group.addEventListener("pointerup", release);
  group.addEventListener("pointercancel", release);
  group.addEventListener("keydown", (event) => {
    const directions = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1],
    };
    const direction = directions[event.key];
    if (!direction || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const length = (event.shiftKey ? 5 : 1) * step;
    move(options.key ? options.key(direction, length) : add(get(), scale(length, direction)));
  });

  const update = () => {
    const there = shown();
    group.style.display = there ? "" : "none";
    if (!there) return;
    const p = get();
    group.setAttribute("transform", `translate(${plane.pixel(p).map((v) => v.toFixed(2))})`);
    group.setAttribute("aria-label", name());
    group.setAttribute("aria-valuenow", p[0].toFixed(3));
    group.setAttribute("aria-valuetext", text(p));
    group.style.color = typeof colour === "function" ? colour() : colour;
    if (typeof shape === "function") mark.setAttribute("d", markPath(shape(), [0, 0], size));
  };
  frame.register({ update });
  return group;
}

// ---------------------------------------------------------------- landscapes

// Segments of the level set {f = level} on a grid; values[i][j] at (xs[j], ys[i]).
export function contour(xs, ys, values, level) {
  const segments = [];
  const between = (p, q, a, b) => add(p, scale((level - a) / (b - a), subtract(q, p)));
  for (let i = 0; i + 1 < ys.length; i++)
    for (let j = 0; j + 1 < xs.length; j++) {
      const heights = [values[i][j], values[i][j + 1], values[i + 1][j + 1], values[i + 1][j]];
      const below = heights.filter((h) => h < level).length;
      if (below % 4 === 0) continue;
      const points = [[xs[j], ys[i]], [xs[j + 1], ys[i]], [xs[j + 1], ys[i + 1]], [xs[j], ys[i + 1]]];
      const hits = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = [heights[k], heights[(k + 1) % 4]];
        if (a < level !== b < level) hits.push(between(points[k], points[(k + 1) % 4], a, b));
      }
      for (let k = 0; k + 1 < hits.length; k += 2) segments.push([hits[k], hits[k + 1]]);
    }
  return segments;
}

// Shade a function in bands between levels, with the lines of the levels: low is dense.
export function drawLandscape(plane, layer, f, levels, { cells = 60, colour = "var(--blue)" } = {}) {
  const xs = linspace(...plane.x, cells + 1);
  const ys = linspace(...plane.y, cells + 1);
  const values = ys.map((b) => xs.map((a) => f(a, b)));
  levels.forEach((level, k) => {
    // the region below the level, cell by cell in runs; each band adds a veil
    const d = belowLevel(plane, xs, ys, values, level);
    svg("path", { d, fill: colour, "fill-opacity": 0.075, stroke: "none" }, layer);
    const lines = contour(xs, ys, values, level)
      .map(([p, q]) => plane.path([p, q]))
      .join("");
    svg("path", { class: "cnn-level", d: lines, stroke: colour }, layer);
  });
}

// The region {f < level}: whole cells in a row are joined, cut cells follow the line.
function belowLevel(plane, xs, ys, values, level) {
  let d = "";
  for (let i = 0; i + 1 < ys.length; i++) {
    let start = null;
    for (let j = 0; j < xs.length; j++) {
      const heights =
        j + 1 < xs.length
          ? [values[i][j], values[i][j + 1], values[i + 1][j + 1], values[i + 1][j]]
          : [];
      const below = heights.filter((h) => h < level).length;
      if (below === 4) {
        start ??= j;
        continue;
      }
      if (start !== null)
        d += plane.path([[xs[start], ys[i]], [xs[j], ys[i]], [xs[j], ys[i + 1]], [xs[start], ys[i + 1]]], true);
      start = null;
      if (!below) continue;
      const points = [[xs[j], ys[i]], [xs[j + 1], ys[i]], [xs[j + 1], ys[i + 1]], [xs[j], ys[i + 1]]];
      const cut = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = [heights[k], heights[(k + 1) % 4]];
        if (a < level) cut.push(points[k]);
        if (a < level !== b < level)
          cut.push(add(points[k], scale((level - a) / (b - a), subtract(points[(k + 1) % 4], points[k]))));
      }
      d += plane.path(cut, true);
    }
  }
  return d;
}

// Ticks with numbers on the axes through the origin (or along the lower and left edge).
export function drawTicks(plane, layer, xs, ys, digits = 1) {
  const base = [clamp(0, ...plane.x), clamp(0, ...plane.y)];
  for (const value of xs) {
    const [x, y] = plane.pixel([value, base[1]]);
    svg("path", { d: `M${x},${y}v4`, stroke: "var(--line)" }, layer);
    const label = { class: "cnn-name", x, y: y + 16, "text-anchor": "middle" };
    svg("text", label, layer).textContent = short(value, digits);
  }
  for (const value of ys) {
    const [x, y] = plane.pixel([base[0], value]);
    svg("path", { d: `M${x},${y}h-4`, stroke: "var(--line)" }, layer);
    const label = { class: "cnn-name", x: x - 7, y: y + 4, "text-anchor": "end" };
    svg("text", label, layer).textContent = short(value, digits);
  }
}
