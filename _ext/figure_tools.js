// @ts-check
// What every interactive figure of the pages has below it: things to try, a way back to
// the state in which it was printed, and a link to the state in which it is.

(() => {
  /** @typedef {Record<string, unknown>} State */
  /** @typedef {{ get: (name: string) => unknown, set: (name: string, value: unknown) => void }} Model */
  /** @typedef {CustomEvent<{ model: Model, initial: State }>} Live */
  /** @typedef {{ try: string, state: State }} Experiment */

  /** @type {(value: unknown) => string} */
  const json = (value) => JSON.stringify(value);

  document.addEventListener("figure-live", (event) => {
    const { target, detail } = /** @type {Live} */ (event);
    if (!(target instanceof HTMLElement)) return;
    const holder = target.closest(".interactive-figure");
    const figure = target.closest("figure");
    if (!(holder instanceof HTMLElement) || !figure) return;
    const { model, initial } = detail;
    // what a reader moves: all that the figure has but what begins with an underscore
    const names = Object.keys(initial).filter((name) => !name.startsWith("_"));
    /** @type {(state: State) => void} */
    const put = (state) => {
      for (const [name, value] of Object.entries(state)) if (names.includes(name)) model.set(name, value);
    };

    const tools = document.createElement("div");
    tools.className = "figure-tools";
    /** @type {(text: string, press: () => void) => HTMLButtonElement} */
    const button = (text, press) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = text;
      made.addEventListener("click", press);
      tools.append(made);
      return made;
    };
    /** @type {unknown} */
    const written = JSON.parse(holder.dataset.experiments ?? "[]");
    const experiments = /** @type {Experiment[]} */ (written);
    if (experiments.length) tools.append("Try: ");
    for (const experiment of experiments)
      button(experiment.try, () => put({ ...initial, ...experiment.state })).className = "try";
    button("Reset", () => put(initial));
    const link = button("Copy link", () => {
      const changed = names.filter((name) => json(model.get(name)) !== json(initial[name]));
      const state = Object.fromEntries(changed.map((name) => [name, model.get(name)]));
      const address = new URL(location.href);
      address.hash = `${figure.id}&state=${encodeURIComponent(json(state))}`;
      history.replaceState(null, "", address);
      void navigator.clipboard?.writeText(address.href).catch(() => {});
      link.textContent = "Link copied";
      setTimeout(() => (link.textContent = "Copy link"), 2000);
    });
    holder.after(tools);

    const [name, stored] = location.hash.slice(1).split("&state=");
    if (name === figure.id && stored) {
      try {
        /** @type {unknown} */
        const state = JSON.parse(decodeURIComponent(stored));
        put(/** @type {State} */ (state));
      } catch {
        return; // an address that was cut short shows the figure as it was printed
      }
      figure.scrollIntoView();
    }
  });
})();
