// @ts-check
// One slide at a time, as large as the window allows. Arrow keys turn, n shows what the
// speaker may say, s opens a second window with it that follows.

/** @typedef {{ startup: { promise: Promise<void> } }} Formulas */

void (async () => {
  const sections = [...document.querySelectorAll(".slide")];
  const root = document.documentElement;
  const isFollowing = location.search === "?notes";
  root.classList.toggle("notes", isFollowing);
  /** @type {Window | null} */
  let other = isFollowing ? /** @type {Window | null} */ (opener) : null;
  let shown = 0;

  /** @type {(number: number) => void} */
  function show(number) {
    shown = Math.min(Math.max(number, 0), sections.length - 1);
    sections.forEach((section, k) => section.classList.toggle("shown", k === shown));
    history.replaceState(null, "", `#${shown + 1}`);
  }
  /** @type {(number: number) => void} */
  function turn(number) {
    show(number);
    other?.postMessage({ slide: shown }, "*");
  }
  function fit() {
    const [width, height] = [innerWidth / 1280, innerHeight / 720];
    root.style.setProperty("--scale", String(Math.min(width, height)));
  }

  addEventListener("resize", fit);
  addEventListener("message", (/** @type {MessageEvent<{ slide: number }>} */ event) => {
    if (event.source === other) show(event.data.slide);
  });
  addEventListener("keydown", (event) => {
    const inside = event.target instanceof Element && event.target.closest(".interactive-figure");
    if (inside || event.ctrlKey || event.metaKey || event.altKey) return;
    if (["ArrowRight", "PageDown", " "].includes(event.key)) turn(shown + 1);
    else if (["ArrowLeft", "PageUp"].includes(event.key)) turn(shown - 1);
    else if (event.key === "Home") turn(0);
    else if (event.key === "End") turn(sections.length - 1);
    else if (event.key === "n") root.classList.toggle("notes");
    else if (event.key === "s" && !isFollowing)
      other = open(`?notes#${shown + 1}`, "notes", "width=1280,height=960");
    else return;
    event.preventDefault();
  });

  fit();
  show(Number(location.hash.slice(1)) - 1 || 0);
  const { MathJax: formulas } = /** @type {{ MathJax: Formulas }} */ (/** @type {unknown} */ (window));
  await formulas.startup.promise;
  const live = [...document.querySelectorAll("[data-figure]")];
  while (live.some((place) => !place.hasAttribute("data-live")))
    await new Promise((resolve) => setTimeout(resolve, 50));
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (
    document.querySelectorAll(".interactive-figure")
  )) {
    const room = (place.closest("figure")?.offsetHeight ?? 0) - 30; // for the caption
    if (place.scrollHeight > room) place.style.zoom = String(room / place.scrollHeight);
  }
  root.dataset.ready = "";
})();
