// @ts-check
// A switch at the head of a chapter: all code, the essential, or none. It is kept for the
// next page. Cells that wait for an answer are always shown.

(() => {
  const KEY = "code-shown";
  /** @type {Record<string, string>} */
  const CHOICES = { essential: "Code: essential", all: "Code: all", none: "Code: none" };
  /** @type {NodeListOf<HTMLDetailsElement>} */
  const folds = document.querySelectorAll("details.code-fold");
  const header = document.querySelector(".article-header-buttons");
  if (!folds.length || !header) return;

  const select = document.createElement("select");
  select.className = "code-switch";
  select.setAttribute("aria-label", "Which code this page shows");
  for (const [value, text] of Object.entries(CHOICES)) select.add(new Option(text, value));
  header.prepend(select);

  /** @type {(choice: string) => void} */
  const show = (choice) => {
    document.documentElement.dataset.code = choice;
    for (const fold of folds) fold.open = choice === "all";
  };
  const kept = localStorage.getItem(KEY) ?? "";
  select.value = kept in CHOICES ? kept : "essential";
  if (select.value !== "essential") show(select.value);
  select.addEventListener("change", () => {
    localStorage.setItem(KEY, select.value);
    show(select.value);
  });
})();
