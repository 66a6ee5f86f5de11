// @ts-check
// The button "Run this chapter here", and what it brings to the cells of a page: a field
// for the code, buttons to run it, and what it showed below what the book shows.

(() => {
  /** @typedef {{ kind: string, text: string }} Output */
  /** @typedef {{ book: string, mine: string }} Edit */
  /** @typedef {{ edits: Record<string, Edit>, right: Record<string, boolean> }} Kept */
  /**
   * What the worker says.
   * @typedef {object} Message
   * @property {string} kind
   * @property {number} [received]
   * @property {number} [place]
   * @property {Output[]} [outputs]
   * @property {string} [text]
   */

  const bar = /** @type {HTMLElement | null} */ (document.querySelector(".live-bar"));
  if (!bar) return;
  const { live = "", scripts = "", size = "0", store = "" } = bar.dataset;
  const script = new URL(scripts, location.href);
  const key = `convexnn-live ${location.pathname}`;

  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag
   * @param {Record<string, string | boolean>} properties
   * @param {HTMLElement} [parent]
   * @returns {HTMLElementTagNameMap[Tag]}
   */
  function make(tag, properties, parent) {
    const element = document.createElement(tag);
    Object.assign(element, properties);
    parent?.append(element);
    return element;
  }

  /**
   * @param {string} text
   * @param {HTMLElement} parent
   * @param {() => void} action
   */
  function button(text, parent, action) {
    const made = make("button", { type: "button", textContent: text }, parent);
    made.addEventListener("click", action);
    return made;
  }

  const status = make("p", {});
  status.setAttribute("role", "status");
  const begin = button(`Run this chapter here (${size} MB, once)`, bar, () => void activate());
  bar.append(status);

  /** @param {string} text */
  function say(text) {
    if (status.textContent !== text) status.textContent = text;
  }

  /** @returns {Kept} */
  function recall() {
    try {
      /** @type {unknown} */
      const kept = JSON.parse(localStorage.getItem(key) ?? "{}");
      const { edits = {}, right = {} } = /** @type {Partial<Kept>} */ (kept);
      return { edits, right };
    } catch {
      return { edits: {}, right: {} }; // no storage here, or nothing that can be read
    }
  }
  const kept = recall();

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(kept));
    } catch {
      say("This browser keeps no changes between visits.");
    }
  }

  /** A code cell of the page. */
  class Cell {
    /**
     * @param {HTMLElement} element
     * @param {number} place
     */
    constructor(element, place) {
      this.element = element;
      this.place = place;
      this.shown = /** @type {HTMLElement} */ (element.querySelector(".cell_input"));
      this.book = (this.shown.querySelector("pre")?.textContent ?? "").trimEnd();
      this.native = element.classList.contains("tag_native-only");
      this.slow = element.classList.contains("tag_slow-in-page");
      this.isExercise = /= \.\.\.\n/.test(this.book) && this.book.includes("exercises.");
      this.tools = make("div", { className: "live-tools" });
      this.field = make("textarea", { className: "live-code", spellcheck: false });
      this.output = make("div", { className: "live-output", hidden: true });
      this.note = make("span", {});
      this.prepare();
    }

    get source() {
      return this.field.value;
    }

    prepare() {
      const { field, tools } = this;
      const name = `cell ${String(this.place + 1)}`;
      this.shown.after(field, tools);
      this.element.append(this.output);
      if (this.native) {
        field.hidden = true;
        const text = "This cell needs a package that browsers do not have: run it in the";
        make("span", { textContent: `${text} notebook.` }, tools);
        return;
      }
      const run = button("Run", tools, () => void runCells([this]));
      run.setAttribute("aria-label", `Run ${name}`);
      const above = button("Run all above", tools, () => {
        void runCells(cells.filter((cell) => cell.place < this.place && !cell.left));
      });
      above.setAttribute("aria-label", `Run all above ${name}`);
      this.edit = button("Edit", tools, () => {
        this.open();
        field.focus();
      });
      this.edit.setAttribute("aria-label", `Edit ${name}`);
      tools.append(this.note);
      if (this.slow) this.note.textContent = "Takes minutes here: run only when asked.";
      field.setAttribute("aria-label", `Code of ${name}`);
      field.title = "Shift+Enter runs the cell; Tab leaves the field";
      field.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || !(event.shiftKey || event.ctrlKey)) return;
        event.preventDefault();
        void runCells([this]);
      });
      field.addEventListener("input", () => {
        this.fit();
        kept.edits[String(this.place)] = { book: this.book, mine: this.source };
        if (this.source === this.book) delete kept.edits[String(this.place)];
        keep();
      });
      this.restore();
    }

    /** Whether "run all" leaves the cell out. */
    get left() {
      return this.native || this.slow;
    }

    /** Show what the reader wrote the last time, or the book's code. */
    restore() {
      const mine = kept.edits[String(this.place)];
      const changed = mine?.book === this.book;
      this.field.value = changed ? mine.mine : this.book;
      this.output.hidden = true;
      if (changed || this.isExercise) this.open();
      else this.close();
    }

    open() {
      this.field.hidden = false;
      this.shown.hidden = true;
      if (this.edit) this.edit.hidden = true;
      this.fit();
    }

    close() {
      this.field.hidden = true;
      this.shown.hidden = false;
      if (this.edit) this.edit.hidden = false;
    }

    fit() {
      this.field.rows = this.source.split("\n").length;
    }

    /** @param {Output[]} outputs */
    show(outputs) {
      this.output.replaceChildren();
      this.output.hidden = false;
      const picture = outputs.some(({ kind }) => kind === "picture");
      /** @type {string[]} */
      const texts = [];
      for (const { kind, text } of outputs) {
        if (kind === "picture") {
          const image = make("img", { alt: "The figure of this cell, as run here" });
          image.src = `data:image/png;base64,${text}`;
          this.output.append(image);
        } else if (!(picture && kind === "result" && text.startsWith("<Figure"))) {
          const className = kind === "error" ? "live-error" : "";
          make("pre", { textContent: text, className }, this.output);
          texts.push(text);
        }
      }
      this.judge(outputs, texts, picture);
    }

    /**
     * Say how the outputs compare with the book's, and note a right answer.
     * @param {Output[]} outputs
     * @param {string[]} texts
     * @param {boolean} picture
     */
    judge(outputs, texts, picture) {
      const stored = this.element.querySelectorAll(".cell_output pre");
      const book = [...stored].map((pre) => pre.textContent.trim()).join("\n");
      const mine = texts.map((text) => text.trim()).join("\n");
      const failed = outputs.some(({ kind }) => kind === "error");
      let verdict = "run here";
      if (failed) verdict = "ended with an error";
      else if (this.isExercise) {
        const right = texts.some((text) => text.startsWith("Right"));
        verdict = right ? "✓ right" : "not yet right";
        if (right) kept.right[String(this.place)] = true;
        keep();
        progress();
      } else if (texts.length > 0 && book === mine) verdict = "✓ identical to the book";
      else if (!picture && texts.length === 0) verdict = "✓ run, nothing to show";
      this.note.textContent = verdict;
      this.element.dataset.live = failed ? "failed" : "done";
    }
  }

  /** @type {Cell[]} */
  let cells = [];
  /** @type {Worker | undefined} */
  let worker;
  /** @type {((outputs: Output[] | undefined) => void) | undefined} */
  let finish;
  let turn = 0; // grows when cells are asked for, stopped or restarted

  const marks = make("p", {});

  /** Say how many exercises are answered. */
  function progress() {
    const asked = cells.filter((cell) => cell.isExercise);
    const right = asked.filter((cell) => kept.right[String(cell.place)]).length;
    const count = `${String(right)} of ${String(asked.length)}`;
    marks.textContent = asked.length > 0 ? `Exercises answered: ${count}.` : "";
  }

  /** Start the worker, and wait until it can run cells. */
  function launch() {
    const made = new Worker(new URL("live_worker.js", script), { type: "module" });
    const loaded = new Promise((resolve, reject) => {
      made.onmessage = (/** @type {MessageEvent<Message>} */ { data }) => {
        if (data.kind === "progress") {
          // in steps of five, so that who hears it is not told all the time
          const megabytes = 5 * Math.floor((data.received ?? 0) / 5e6);
          say(`Loading: ${String(megabytes)} of ${size} MB ...`);
        } else if (data.kind === "ready") resolve(undefined);
        else if (data.kind === "done") finish?.(data.outputs);
        else if (data.kind === "failed") {
          const outputs = [{ kind: "error", text: data.text ?? "" }];
          if (finish) finish(outputs);
          else reject(new Error(data.text));
        }
      };
      made.onerror = (event) => {
        reject(new Error(event.message));
      };
    });
    const places = {
      live: new URL(live, location.href).href,
      harness: new URL("live_cells.py", script).href,
    };
    made.postMessage({ kind: "start", store, ...places });
    worker = made;
    return loaded;
  }

  /**
   * Have a cell run; the answer is nothing if that is stopped.
   * @param {Cell} cell
   * @returns {Promise<Output[] | undefined>}
   */
  function answer({ place, source }) {
    return new Promise((resolve) => {
      finish?.(undefined);
      finish = resolve;
      worker?.postMessage({ kind: "run", place, source });
    });
  }

  /** @param {Cell[]} asked */
  async function runCells(asked) {
    const mine = (turn += 1);
    for (const cell of asked) {
      if (mine !== turn || !worker) return;
      say(`Running cell ${String(cell.place + 1)} ...`);
      cell.note.textContent = "running ...";
      const outputs = await answer(cell);
      if (mine !== turn || !outputs) {
        cell.note.textContent = "stopped";
        return;
      }
      finish = undefined;
      cell.show(outputs);
      if (cell.element.dataset.live === "failed") {
        say(`Cell ${String(cell.place + 1)} ended with an error.`);
        return;
      }
    }
    say("Done.");
  }

  /** End the worker, with whatever it is doing, and start another one. */
  async function restart() {
    turn += 1;
    worker?.terminate();
    worker = undefined;
    finish?.(undefined);
    finish = undefined;
    for (const cell of cells) {
      delete cell.element.dataset.live;
      if (!cell.left) cell.note.textContent = "";
    }
    await launch();
    say("Ready: no cell has been run yet.");
  }

  /** Forget what was changed and answered. */
  function reset() {
    kept.edits = {};
    kept.right = {};
    keep();
    for (const cell of cells) if (!cell.native) cell.restore();
    progress();
    say("The cells are the book's again.");
  }

  /** Offer the cells, as they are now, as a notebook. */
  function download() {
    const notebook = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { language_info: { name: "python" } },
      cells: cells.map((cell) => ({
        id: `cell-${String(cell.place + 1)}`,
        cell_type: "code",
        execution_count: null,
        metadata: {},
        outputs: [],
        source: cell.native ? cell.book : cell.source,
      })),
    };
    const content = new Blob([JSON.stringify(notebook, null, 1)]);
    const name = (location.pathname.split("/").pop() ?? "").replace(".html", "");
    const link = make("a", { href: URL.createObjectURL(content) });
    link.download = `${name || "chapter"}.ipynb`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  /** Say why the chapter cannot run here, or nothing. */
  function obstacle() {
    if (location.protocol === "file:")
      return (
        "A page opened from a folder cannot run Python. Serve the book, for example " +
        "with “make serve”, and open its address."
      );
    if (matchMedia("(max-width: 600px) and (pointer: coarse)").matches)
      return "This takes more memory than phones have: open the page on a computer.";
    if (typeof WebAssembly !== "object") return "This browser has no WebAssembly.";
    return "";
  }

  async function activate() {
    const reason = obstacle();
    if (reason) {
      say(reason);
      return;
    }
    begin.disabled = true;
    say("Loading ...");
    try {
      await launch();
    } catch (error) {
      worker?.terminate();
      begin.disabled = false;
      say(`The chapter could not be started: ${String(error)}`);
      return;
    }
    /** @type {NodeListOf<HTMLElement>} */
    const found = document.querySelectorAll("article .cell:has(> .cell_input)");
    cells = [...found].map((element, place) => new Cell(element, place));
    begin.remove();
    if (bar) {
      button("Run all", bar, () => void runCells(cells.filter((cell) => !cell.left)));
      button("Stop", bar, () => void restart());
      button("Restart", bar, () => void restart());
      button("Reset my changes", bar, reset);
      button("Download as a notebook", bar, download);
      bar.append(status, marks);
    }
    progress();
    say("Ready: run a cell, or all of them.");
    document.documentElement.dataset.live = "ready";
  }
})();
