// @ts-check
// The front page moves by itself once: its network follows the gradient flow, and the
// number beside it says how far above the optimum it is. It stands still for readers who
// ask for little motion, and stops where somebody takes the point.

(() => {
  const place = document.querySelector(".front-figure [data-figure]");
  const number = document.querySelector("#front-excess output");
  if (!place || !number) return;

  const follow = () => {
    const figure = place.querySelector(".cnn-figure");
    if (!(figure instanceof HTMLElement)) return;
    const tell = () => {
      /** @type {unknown} */
      const shown = JSON.parse(figure.dataset.shown ?? "{}");
      const { objective, optimum } = /** @type {{ objective: number, optimum: number }} */ (shown);
      number.textContent = Math.max(objective - optimum, 0).toFixed(3);
    };
    tell();
    new MutationObserver(tell).observe(figure, { attributeFilter: ["data-shown"] });
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const roll = () => figure.querySelector("button")?.click();
    setTimeout(roll, 900);
  };

  const waiting = new MutationObserver(() => {
    if (!place.hasAttribute("data-live")) return;
    waiting.disconnect();
    follow();
  });
  waiting.observe(place, { attributeFilter: ["data-live"] });
  if (place.hasAttribute("data-live")) {
    waiting.disconnect();
    follow();
  }
})();
