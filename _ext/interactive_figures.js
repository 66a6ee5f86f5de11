// Bring the interactive figures of a page to life: from the state that the notebook
// stored in the page, without a kernel and without a request.
(async () => {
  const models = {};
  const stored = 'script[type="application/vnd.jupyter.widget-state+json"]';
  for (const script of document.querySelectorAll(stored))
    for (const [id, { state }] of Object.entries(JSON.parse(script.textContent).state))
      models[id] = makeModel(state);

  for (const place of document.querySelectorAll("[data-figure]")) {
    const model = models[place.dataset.figure];
    const source = new Blob([model.get("_esm")], { type: "text/javascript" });
    const address = URL.createObjectURL(source);
    const { default: figure } = await import(address);
    URL.revokeObjectURL(address);
    const look = model.get("_css");
    if (![...document.head.querySelectorAll("style")].some((s) => s.textContent === look))
      document.head.append(Object.assign(document.createElement("style"), { textContent: look }));
    await figure.render({ model, el: place });
    place.dataset.live = "";
  }

  // The part of Jupyter's model that the figures use.
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
