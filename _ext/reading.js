// @ts-check
// What goes on beyond its edge says so; pictures can be enlarged; long proofs can be
// folded; a printed page shows its solutions; search results are free of TeX.

(() => {
  // --- formulas, tables, code and pictures that go on
  const wide = "div.math, span.math, .picture-place, article div.highlight pre, .pst-scrollable-table-container";
  /** @type {(element: Element, scrolls: boolean) => void} */
  const reach = (element, scrolls) => {
    if (scrolls) element.setAttribute("tabindex", "0");
    else element.removeAttribute("tabindex");
  };
  /** @type {(element: Element) => void} */
  const mark = (element) => {
    // a formula in a line scrolls on a phone only
    if (!/auto|scroll/.test(getComputedStyle(element).overflowX)) return;
    const left = element.scrollLeft;
    const rest = element.scrollWidth - element.clientWidth - left;
    element.classList.toggle("goes-on", rest > 3);
    element.classList.toggle("comes-from-left", left > 3);
    // the keyboard scrolls a picture, too
    if (element.matches(".picture-place")) reach(element, rest > 3 || left > 3);
  };
  const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => mark(target)));
  const watch = () => {
    for (const element of document.querySelectorAll(wide)) {
      sizes.observe(element);
      for (const child of element.children) sizes.observe(child);
      element.addEventListener("scroll", () => mark(element), { passive: true });
      mark(element);
    }
  };

  // --- a picture at its own size
  const enlarge = () => {
    for (const picture of document.querySelectorAll("figure .cell_output img, figure.cell_output img, figure img")) {
      if (!(picture instanceof HTMLImageElement) || picture.closest("noscript, .cnn-figure, a")) continue;
      const place = document.createElement("div");
      place.className = "picture-place";
      const width = picture.getAttribute("width");
      if (width) picture.style.setProperty("--natural", `${width}px`);
      picture.replaceWith(place);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "enlarge";
      button.textContent = "Enlarge";
      place.append(picture);
      place.after(button);
      button.addEventListener("click", () => open(picture));
      picture.addEventListener("click", () => open(picture));
    }
  };
  /** @type {(picture: HTMLImageElement) => void} */
  const open = (picture) => {
    const dialog = document.createElement("dialog");
    dialog.className = "enlarged";
    dialog.setAttribute("aria-label", "The picture, enlarged");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Close";
    const copy = picture.cloneNode();
    dialog.append(button, copy);
    dialog.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };

  // --- long proofs
  const LONG = 1500; // letters
  const foldable = () => {
    for (const proof of document.querySelectorAll('.proof[id="proof"]')) {
      if (proof.children.length < 2 || (proof.textContent ?? "").length < LONG) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "fold-proof";
      /** @type {(folded: boolean) => void} */
      const fold = (folded) => {
        proof.classList.toggle("folded", folded);
        button.textContent = folded ? "Show the whole proof" : "Fold the proof";
        button.setAttribute("aria-expanded", String(!folded));
      };
      fold(false);
      button.addEventListener("click", () => fold(!proof.classList.contains("folded")));
      proof.prepend(button);
    }
  };

  // --- solutions on paper
  /** @type {HTMLDetailsElement[]} */
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.solution")].filter(
      /** @type {(e: Element) => e is HTMLDetailsElement} */
      (e) => e instanceof HTMLDetailsElement && !e.open,
    );
    for (const solution of opened) solution.open = true;
  });
  addEventListener("afterprint", () => {
    for (const solution of opened) solution.open = false;
  });
  // a link into a folded solution, or to it, opens it
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const solution = target?.closest("details");
    if (solution) solution.open = true;
    // so does one to an equation in a folded proof
    const button = target?.closest(".folded")?.querySelector(".fold-proof");
    if (button instanceof HTMLElement) button.click();
  };
  addEventListener("hashchange", openTarget);

  // --- excerpts of search results, without TeX's brackets
  const results = document.querySelector("#search-results");
  if (results) {
    new MutationObserver(() => {
      for (const excerpt of results.querySelectorAll("p.context")) {
        const text = excerpt.textContent ?? "";
        if (/\\[()[\]]|\$\$/.test(text))
          excerpt.textContent = text.replace(/\\[()[\]]|\$\$/g, "");
      }
    }).observe(results, { childList: true, subtree: true });
  }

  enlarge();
  foldable();
  openTarget();
  addEventListener("load", watch);
})();
