// @ts-check
// One of several pictures, chosen by a slider. Nothing moves unless the reader asks.
/** @import { RenderProps } from "@anywidget/types" */

/** @typedef {{ frames: readonly string[], labels: readonly string[], alt: string }} State */

/** @type {(place: Pick<RenderProps<State>, "model" | "el">) => () => void} */
function render({ model, el }) {
  const frames = model.get("frames");
  const labels = model.get("labels");
  const last = frames.length - 1;
  /**
   * @template {keyof HTMLElementTagNameMap} Name
   * @param {Name} name
   * @param {Element} parent
   */
  const make = (name, parent) => {
    const element = document.createElement(name);
    parent.append(element);
    return element;
  };
  const root = make("div", el);
  root.className = "frame-player";
  const picture = make("img", root);
  picture.alt = model.get("alt");
  const controls = make("div", root);
  controls.className = "frame-player-controls";
  const button = make("button", controls);
  button.type = "button";
  button.textContent = "Play";
  const slider = make("input", controls);
  Object.assign(slider, { type: "range", min: 0, max: last, step: 1 });
  const text = make("output", controls);
  slider.setAttribute("aria-label", "frame");
  text.setAttribute("aria-live", "off"); // the slider says it
  button.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** @type {(k: number) => void} */
  const show = (k) => {
    picture.src = `data:image/png;base64,${frames[k]}`;
    slider.value = String(k);
    slider.setAttribute("aria-valuetext", labels[k]);
    text.textContent = labels[k];
  };
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    button.textContent = "Play";
  };
  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
  button.addEventListener("click", () => {
    if (timer !== undefined) return stop();
    let k = Number(slider.value) % last; // from the start, if at the end
    show(k);
    button.textContent = "Stop";
    timer = setInterval(() => {
      show((k += 1));
      if (k === last) stop();
    }, 250);
  });
  show(last);
  return stop;
}

export default { render };
