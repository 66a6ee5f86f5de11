// @ts-check
// The frame of a figure, with its text for readers of the picture and of the screen, and
// the model that it shares with Python.
/** @import { AnyModel } from "@anywidget/types" */
import { html, svg, typeset } from "./elements.js";
import { format } from "./words.js";

/**
 * What the figures use of Jupyter's model, which the script of the book's pages has too.
 * @template {Record<string, unknown>} State
 * @typedef {Pick<AnyModel<State>, "get" | "set" | "on" | "off" | "save_changes">} Model
 */
/**
 * What a figure is given: its model, and the element that it fills.
 * @template {Record<string, unknown>} State
 * @typedef {{ model: Model<State>, el: HTMLElement }} Place
 */
/** @typedef {{ update(): void }} Updated something that follows each drawing */
/** @typedef {ReturnType<typeof makeFrame>} Frame */

// The frame of a figure: panels, controls, a sentence that says what is shown, and the
// same sentence for screen readers once the reader pauses.
//   frame.panel({label, width, height, title})  an SVG with that many units
//   frame.side(label)                           a block of HTML beside the panels
//   frame.slider / frame.button / frame.choice  controls below
//   frame.draws(model, names, draw)             draw now, and when a trait changes
//   frame.show(values, sentence)                what the figure shows, for all readers
// Values are kept as JSON in the attribute data-shown, where tests read them.
/** @param {HTMLElement} el @param {{ label: string, hint: string }} words */
export function makeFrame(el, { label, hint }) {
  const root = html("div", { class: "cnn-figure", role: "group", "aria-label": label }, el);
  const panels = html("div", { class: "cnn-panels" }, root);
  const controls = html("div", { class: "cnn-controls" }, root);
  const sentence = html("p", { class: "cnn-sentence", "aria-hidden": "true" }, root);
  const status = html("p", { class: "cnn-unseen", role: "status" }, root);
  html("p", { class: "cnn-hint" }, root, hint);
  /** @type {(() => void)[]} */
  const cleanup = [];
  /** @type {Updated[]} */
  const updated = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  return {
    /** @type {(action: () => void) => void} */
    onCleanup: (action) => void cleanup.push(action),
    /** @type {(handle: Updated) => void} */
    register: (handle) => void updated.push(handle),
    /** @param {{ label: string, title?: string, width?: number, height?: number }} options */
    panel({ label, title, width = 360, height = 360 }) {
      const holder = html("div", { class: "cnn-panel" }, panels);
      if (title !== undefined) typeset(html("div", { class: "cnn-title" }, holder), title);
      return svg(
        "svg",
        { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label },
        holder,
      );
    },
    /** @type {(label: string) => HTMLDivElement} */
    side: (label) =>
      html("div", { class: "cnn-side", role: "group", "aria-label": label }, panels),
    // A range from low to high, bound to get() and set(value).
    /**
     * @param {{ label: string, symbol?: string, low: number, high: number, step: number,
     *   get: () => number, set: (value: number) => void, digits?: number }} options
     */
    slider({ label, symbol = label, low, high, step, get, set, digits = 2 }) {
      const holder = html("label", { class: "cnn-slider" }, controls);
      typeset(html("span", { "aria-hidden": "true" }, holder), symbol);
      const input = html(
        "input",
        { type: "range", min: low, max: high, step, "aria-label": label },
        holder,
      );
      const value = html("output", { "aria-hidden": "true" }, holder);
      input.addEventListener("input", () => set(Number(input.value)));
      updated.push({
        update() {
          if (Number(input.value) !== get()) input.value = String(get());
          value.textContent = format(get(), digits);
          input.setAttribute("aria-valuetext", format(get(), digits));
        },
      });
    },
    /** @param {{ label: string, press: () => void, disabled?: () => boolean }} options */
    button({ label, press, disabled = () => false }) {
      const button = html("button", { type: "button", class: "cnn-button" }, controls, label);
      // a button that cannot be pressed now keeps the focus: it is not switched off
      button.addEventListener("click", () => {
        if (!disabled()) press();
      });
      updated.push({
        update: () => button.setAttribute("aria-disabled", String(disabled())),
      });
      return button;
    },
    // One of several options, [value, text] each.
    /**
     * @param {{ label: string, options: readonly (readonly [string, string])[],
     *   get: () => string, set: (value: string) => void }} choices
     */
    choice({ label, options, get, set }) {
      const holder = html("label", { class: "cnn-choice" }, controls);
      html("span", {}, holder, label);
      const select = html("select", {}, holder);
      for (const [value, text] of options) html("option", { value }, select, text);
      select.addEventListener("change", () => set(select.value));
      updated.push({
        update() {
          select.value = get();
        },
      });
    },
    /**
     * @template {Record<string, unknown>} State
     * @param {Model<State>} model
     * @param {readonly (keyof State & string)[]} names
     * @param {() => void} draw
     */
    draws(model, names, draw) {
      let waiting = false;
      const run = () => {
        waiting = false;
        draw();
        for (const item of updated) item.update();
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
    },
    /** @type {(values: object, text: string) => void} */
    show(values, text) {
      root.dataset.shown = JSON.stringify(values);
      sentence.textContent = text;
      clearTimeout(timer);
      timer = setTimeout(() => {
        status.textContent = text;
      }, 500);
    },
    // What render returns: undoes what reaches beyond the element.
    dispose: () => {
      clearTimeout(timer);
      for (const action of cleanup) action();
    },
  };
}

// Change traits of the model, in the page and in Python.
/**
 * @template {Record<string, unknown>} State
 * @param {Model<State>} model
 * @param {Partial<State>} values
 */
export function change(model, values) {
  for (const name in values) {
    const value = values[name];
    if (value !== undefined) model.set(name, value);
  }
  model.save_changes();
}

// A choice among data that are kept under a name, and the reader's own.
//   isShown(example)  whether the figure shows it now;  show(example) puts it there
/**
 * @template {readonly [string, ...unknown[]]} Example
 * @param {Frame} frame
 * @param {string} label
 * @param {Readonly<Record<string, Example>>} examples
 * @param {{ isShown: (example: Example) => boolean, show: (example: Example) => void }} actions
 */
export function addExamples(frame, label, examples, { isShown, show }) {
  const names = Object.keys(examples);
  frame.choice({
    label,
    options: [["own", "your own"], ...names.map((key) => /** @type {const} */ ([key, examples[key][0]]))],
    get: () => names.find((key) => isShown(examples[key])) ?? "own",
    set: (key) => {
      if (key !== "own") show(examples[key]);
    },
  });
}

// Whether two values that came from Python are the same.
/** @type {(a: unknown, b: unknown) => boolean} */
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// Let a click on a handle, or Enter, flip what it stands for. A click is a press and a
// release between which its position has not changed.
/** @type {(handle: SVGGElement, position: () => unknown, flip: () => void) => void} */
export function flips(handle, position, flip) {
  /** @type {unknown} */
  let pressed = null;
  handle.addEventListener("pointerdown", () => {
    pressed = position();
  });
  handle.addEventListener("pointerup", () => {
    if (pressed === position()) flip();
  });
  handle.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    flip();
  });
}
