// @ts-check
// The button "Run this chapter here". What it brings is loaded when it is pressed.

(() => {
  const bar = /** @type {HTMLElement | null} */ (document.querySelector(".live-bar"));
  if (!bar) return;
  const { scripts = "", size = "" } = bar.dataset;

  const begin = document.createElement("button");
  begin.type = "button";
  begin.className = "live-begin";
  begin.textContent = "Run this chapter here";
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  status.textContent = `Python in this page, nothing to install: loads ${size} MB once.`;
  bar.append(begin, status);
  begin.addEventListener("click", () => void activate());

  /** Say why the chapter cannot run here, or nothing. */
  function obstacle() {
    if (location.protocol === "file:")
      return (
        "A page that was opened from a folder cannot run Python. Serve the book, for " +
        "example with “make serve”, and open its address."
      );
    if (matchMedia("(max-width: 600px) and (pointer: coarse)").matches)
      return "This takes more memory than phones have: open the page on a computer.";
    if (typeof WebAssembly !== "object" || typeof Worker !== "function")
      return "This browser cannot run Python: it has no WebAssembly.";
    return "";
  }

  async function activate() {
    const reason = obstacle();
    if (reason) {
      status.textContent = reason;
      return;
    }
    begin.disabled = true;
    status.textContent = "Loading ...";
    try {
      /** @type {unknown} */
      const module = await import(new URL(`${scripts}live_chapter.js`, location.href).href);
      const { open } = /** @type {typeof import("./live_chapter.js")} */ (module);
      await open(/** @type {HTMLElement} */ (bar), begin, status);
    } catch (error) {
      begin.disabled = false;
      status.textContent = `The chapter could not be started. ${String(error)}`;
    }
  }
})();
