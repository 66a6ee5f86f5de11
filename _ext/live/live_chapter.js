// @ts-check
// A chapter that runs: its cells, the order in which they run, and what is kept of it.
import { button, Cell, joined, make } from "./live_cell.js";
import { loadEditor } from "./live_editor.js";
import { Python } from "./live_python.js";

/** @typedef {import("./live_cell.js").Kept} Kept */
/** @typedef {import("./live_cell.js").StoredCell} StoredCell */
/** @typedef {{ cells: StoredCell[] }} Notebook */

const KEY = `convexnn-live ${location.pathname}`;

/** @returns {Kept} */
function recall() {
  try {
    /** @type {unknown} */
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const { edits = {}, right = {} } = /** @type {Partial<Kept>} */ (kept);
    return { edits, right };
  } catch {
    return { edits: {}, right: {} }; // no storage here, or nothing that can be read
  }
}

class LiveChapter {
  /**
   * @param {HTMLElement} bar
   * @param {HTMLElement} status
   * @param {Notebook} notebook
   */
  constructor(bar, status, notebook) {
    const { live = "", scripts = "", store = "", size = "" } = bar.dataset;
    this.bar = bar;
    this.status = status;
    this.notebook = notebook;
    this.kept = recall();
    this.size = size;
    /** @type {Cell[]} */
    this.queue = [];
    this.busy = false;
    this.begun = false; // whether the first cell, which imports, was asked for
    this.python = new Python(
      {
        live: new URL(live, location.href).href,
        harness: new URL(`${scripts}live_cells.py`, location.href).href,
        store,
      },
      (received) => {
        this.progress(received);
      },
    );
    this.meter = make("progress", {});
    this.meter.max = Number(size);
    this.meter.setAttribute("aria-label", "Loaded");
    const code = notebook.cells.filter(
      ({ cell_type, metadata }) =>
        cell_type === "code" && !metadata.tags?.includes("remove-cell"),
    );
    /** @type {NodeListOf<HTMLElement>} */
    const found = document.querySelectorAll("article .cell");
    if (found.length !== code.length)
      throw new Error("The page and its notebook are of different editions: reload it.");
    this.cells = [...found].map((element, place) => new Cell(element, code[place], place, this));
    this.marks = make("p", { className: "live-marks" });
    this.all = button("Run all", bar, () => {
      this.ask(this.cells.filter((cell) => !cell.left));
    });
    this.halt = button("Stop", bar, () => {
      this.stop("Stopped. Python begins anew: no cell has been run yet.");
    });
    button("Restart", bar, () => {
      for (const cell of this.cells) if (!cell.native) cell.forget();
      this.stop("Python begins anew: no cell has been run yet.");
    });
    button("Reset my changes", bar, () => {
      this.reset();
    });
    button("Download as a notebook", bar, () => {
      this.download();
    });
    bar.append(this.meter, status, this.marks);
    this.halt.disabled = true;
    this.count();
  }

  /** @param {string} text */
  say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  /** @param {number} received */
  progress(received) {
    this.meter.value = received / 1e6;
    // in steps of ten, so that who hears it is not told all the time
    const megabytes = String(10 * Math.floor(received / 1e7));
    if (!this.meter.hidden) this.say(`Loading Python: ${megabytes} of ${this.size} MB ...`);
  }

  /** Start Python, and say when it is there. */
  async start() {
    this.meter.hidden = false;
    await this.python.start();
    this.meter.hidden = true;
    if (!this.busy) this.say("Ready: run a cell, or all of them.");
    document.documentElement.dataset.live = "ready";
  }

  keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify(this.kept));
    } catch {
      this.say("This browser keeps no changes between visits.");
    }
    this.count();
  }

  /** Say how many exercises are answered. */
  count() {
    const asked = this.cells.filter((cell) => cell.isExercise);
    const right = asked.filter((cell) => this.kept.right[cell.id]).length;
    const text = `Exercises answered: ${String(right)} of ${String(asked.length)}.`;
    this.marks.textContent = asked.length > 0 ? text : "";
  }

  /** @param {Cell} cell */
  run(cell) {
    // an exercise needs no more than what the chapter imports
    const first = this.cells.find((other) => !other.left);
    this.ask(cell.isExercise && !this.begun && first ? [first, cell] : [cell]);
  }

  /** @param {Cell} cell */
  runAbove(cell) {
    this.ask(this.cells.filter((other) => other.place < cell.place && !other.left));
  }

  /**
   * Have cells run after those that are waiting.
   * @param {Cell[]} asked
   */
  ask(asked) {
    for (const cell of asked) {
      if (this.queue.includes(cell)) continue;
      this.queue.push(cell);
      cell.mark("waiting");
    }
    if (!this.busy) void this.work();
  }

  async work() {
    this.busy = true;
    this.halt.disabled = false;
    let verdict = "";
    for (let cell = this.queue.shift(); cell; cell = this.queue.shift()) {
      this.say(`Running ${cell.name} ...`);
      cell.mark("running");
      this.begun = true;
      const outputs = await this.python.run(cell.place + 1, cell.source);
      if (!outputs) break; // stopped
      verdict = `${cell.name}: ${cell.show(outputs)}`;
      if (cell.element.dataset.live === "failed") this.drop();
      this.say(`${verdict[0].toUpperCase()}${verdict.slice(1)}`);
    }
    this.busy = false;
    this.halt.disabled = true;
  }

  /** Forget the cells that are waiting. */
  drop() {
    for (const cell of this.queue.splice(0)) cell.mark("stopped");
  }

  /**
   * End Python, and begin anew.
   * @param {string} message
   */
  stop(message) {
    this.drop();
    for (const cell of this.cells)
      if (cell.element.dataset.live === "running") cell.mark("stopped");
    this.begun = false;
    this.python.stop();
    this.say(message);
    this.start().catch((/** @type {unknown} */ error) => {
      this.say(String(error));
    });
  }

  /** Forget what was changed and answered. */
  reset() {
    if (Object.keys(this.kept.edits).length > 0 && !confirm("Forget your changes?")) return;
    this.kept.edits = {};
    this.kept.right = {};
    this.keep();
    for (const cell of this.cells) if (!cell.native) cell.restore();
    this.say("The cells are the book's again.");
  }

  /** Offer the chapter with the cells as they are now. */
  download() {
    const mine = new Map(this.cells.map((cell) => [cell.id, cell.source]));
    const cells = this.notebook.cells.map((cell) => {
      const source = mine.get(cell.id) ?? joined(cell.source);
      return source === joined(cell.source) ? cell : { ...cell, source, outputs: [] };
    });
    const content = JSON.stringify({ ...this.notebook, cells }, null, 1);
    const link = make("a", { href: URL.createObjectURL(new Blob([content])) });
    link.download = location.pathname.split("/").pop()?.replace(/\.html$|$/, ".ipynb") ?? "";
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

/**
 * Make the cells of the page run.
 * @param {HTMLElement} bar
 * @param {HTMLElement} begin the button that was pressed
 * @param {HTMLElement} status
 */
export async function open(bar, begin, status) {
  const [answer] = await Promise.all([fetch(bar.dataset.notebook ?? ""), loadEditor()]);
  if (!answer.ok) throw new Error(`${answer.url}: ${String(answer.status)}`);
  /** @type {unknown} */
  const notebook = await answer.json();
  const chapter = new LiveChapter(bar, status, /** @type {Notebook} */ (notebook));
  begin.remove();
  bar.classList.add("live-running");
  await chapter.start();
}
