// @ts-check
// An interactive figure that a cell has made in the page, from the state that Python sent.
// It lives in the page alone, as those that the notebook stored do.

/** @typedef {Record<string, unknown> & { _esm: string, _css: string }} State */
/** @typedef {{ render(place: { model: object, el: HTMLElement }): unknown }} Figure */

/** @param {State} state */
function makeModel(state) {
  const page = new EventTarget();
  return {
    /** @param {string} name */
    get: (name) => state[name],
    /**
     * @param {string} name
     * @param {unknown} value
     */
    set(name, value) {
      if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
      Object.assign(state, { [name]: value });
      page.dispatchEvent(new Event(`change:${name}`));
    },
    /**
     * @param {string} event
     * @param {() => void} action
     */
    on: (event, action) => {
      page.addEventListener(event, action);
    },
    /**
     * @param {string} event
     * @param {() => void} action
     */
    off: (event, action) => {
      page.removeEventListener(event, action);
    },
    save_changes() {},
  };
}

/**
 * Draw a figure.
 * @param {string} text its state, as JSON
 * @param {HTMLElement} place
 */
export async function drawFigure(text, place) {
  /** @type {unknown} */
  const parsed = JSON.parse(text);
  const state = /** @type {State} */ (parsed);
  const address = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
  /** @type {unknown} */
  const module = await import(address);
  const { default: figure } = /** @type {{ default: Figure }} */ (module);
  URL.revokeObjectURL(address);
  const styles = [...document.head.querySelectorAll("style")];
  if (!styles.some(({ textContent }) => textContent === state._css)) {
    const style = document.createElement("style");
    style.textContent = state._css;
    document.head.append(style);
  }
  await figure.render({ model: makeModel(state), el: place });
}
