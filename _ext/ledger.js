// @ts-check
// The picture of the ledger filters it: one verdict at a time, or all.

(() => {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = document.querySelectorAll(".verdict-filters button");
  /** @type {NodeListOf<HTMLElement>} */
  const boxes = document.querySelectorAll(".admonition.claim");
  const squares = document.querySelectorAll(".claim-square");

  /** @type {(verdict: string | undefined) => void} */
  const show = (verdict) => {
    for (const box of boxes) box.hidden = !!verdict && !box.classList.contains(verdict);
    for (const square of squares)
      square.classList.toggle("other", !!verdict && !square.classList.contains(verdict));
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict));
  };
  for (const button of buttons)
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") === "true";
      show(pressed ? undefined : button.dataset.verdict);
    });
  for (const square of squares)
    square.addEventListener("click", () => {
      if (square.classList.contains("other")) show(undefined);
    });
})();
