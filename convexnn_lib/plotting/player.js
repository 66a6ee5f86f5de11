// One of several pictures, chosen by a slider. Nothing moves unless the reader asks.
export default {
  render({ model, el }) {
    const frames = model.get("frames");
    const labels = model.get("labels");
    const last = frames.length - 1;
    const make = (name, properties, parent) => {
      const element = Object.assign(document.createElement(name), properties);
      parent.append(element);
      return element;
    };
    const root = make("div", { className: "frame-player" }, el);
    const picture = make("img", { alt: model.get("alt") }, root);
    const controls = make("div", { className: "frame-player-controls" }, root);
    const button = make("button", { type: "button", textContent: "Play" }, controls);
    const slider = make("input", { type: "range", min: 0, max: last, step: 1 }, controls);
    const text = make("output", {}, controls);
    slider.setAttribute("aria-label", "frame");
    text.setAttribute("aria-live", "off"); // the slider says it
    button.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches;

    const show = (k) => {
      picture.src = `data:image/png;base64,${frames[k]}`;
      slider.value = k;
      slider.setAttribute("aria-valuetext", labels[k]);
      text.textContent = labels[k];
    };
    let timer = null;
    const stop = () => {
      clearInterval(timer);
      timer = null;
      button.textContent = "Play";
    };
    slider.addEventListener("input", () => {
      stop();
      show(Number(slider.value));
    });
    button.addEventListener("click", () => {
      if (timer !== null) return stop();
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
  },
};
