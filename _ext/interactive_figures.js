// @ts-check
// Bring the interactive figures of a page to life: from the state that the notebook
// stored in the page and in files beside it, without a kernel.

void (async () => {
  /** @typedef {Record<string, unknown> & { _esm: string, _css: string, _parts?: string }} State */
  /** @typedef {Window & { figureParts?: Record<string, Partial<State>> }} Page */
  /** @typedef {{ state: Record<string, { state: State }> }} Stored */
  /** @typedef {(event: string, action: () => void) => void} Subscription */
  /**
   * The part of Jupyter's model that the figures use.
   * @typedef {object} Model
   * @property {<Name extends keyof State>(name: Name) => State[Name]} get
   * @property {<Name extends keyof State>(name: Name, value: State[Name]) => void} set
   * @property {Subscription} on
   * @property {Subscription} off
   * @property {() => void} save_changes
   */
  /** @typedef {{ render(place: { model: Model, el: HTMLElement }): unknown }} Figure */

  const pages = /** @type {Page} */ (window);
  /** @type {Record<string, Model>} */
  const models = {};
  /** @type {Record<string, State>} */
  const initial = {};
  const stored = 'script[type="application/vnd.jupyter.widget-state+json"]';
  for (const script of document.querySelectorAll(stored)) {
    /** @type {unknown} */
    const page = JSON.parse(script.textContent ?? "");
    const { state: states } = /** @type {Stored} */ (page);
    for (const [id, { state }] of Object.entries(states)) {
      if (state._parts) await load(state._parts);
      const parts = pages.figureParts?.[state._parts ?? ""];
      initial[id] = { ...state, ...parts };
      models[id] = makeModel({ ...initial[id] });
    }
  }

  /** @type {NodeListOf<HTMLElement>} */
  const places = document.querySelectorAll("[data-figure]");
  for (const place of places) {
    const model = models[place.dataset.figure ?? ""];
    const source = new Blob([model.get("_esm")], { type: "text/javascript" });
    const address = URL.createObjectURL(source);
    /** @type {unknown} */
    const module = await import(address);
    const { default: figure } = /** @type {{ default: Figure }} */ (module);
    URL.revokeObjectURL(address);
    const look = model.get("_css");
    if (![...document.head.querySelectorAll("style")].some((s) => s.textContent === look))
      document.head.append(Object.assign(document.createElement("style"), { textContent: look }));
    await figure.render({ model, el: place });
    const detail = { model, initial: initial[place.dataset.figure ?? ""] };
    place.dispatchEvent(new CustomEvent("figure-live", { bubbles: true, detail }));
    place.dataset.live = "";
  }

  // What is long in a state stands in a script, which loads from a folder of files, too.
  /** @type {(name: string) => Promise<unknown>} */
  function load(name) {
    const root = document.documentElement.dataset.content_root ?? "./";
    const script = document.createElement("script");
    script.src = `${root}_static/figures/${name}.js`;
    document.head.append(script);
    return new Promise((resolve) => script.addEventListener("load", resolve));
  }

  /** @type {(state: State) => Model} */
  function makeModel(state) {
    const page = new EventTarget();
    return {
      get: (name) => state[name],
      set(name, value) {
        if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
        state[name] = value;
        page.dispatchEvent(new Event(`change:${name}`));
      },
      on: (event, action) => page.addEventListener(event, action),
      off: (event, action) => page.removeEventListener(event, action),
      save_changes() {},
    };
  }
})();
