// @ts-check
// A code cell of a page that runs: its editor, its buttons, and what it showed.
import { Editor } from "./live_editor.js";
import { drawFigure } from "./live_figure.js";

/** @typedef {import("./live_python.js").Output} Output */
/** @typedef {{ book: string, mine: string }} Edit */
/** @typedef {{ edits: Record<string, Edit>, right: Record<string, boolean> }} Kept */
/**
 * A cell of a stored notebook.
 * @typedef {object} StoredCell
 * @property {string} id
 * @property {string} cell_type
 * @property {string | string[]} source
 * @property {{ tags?: string[] }} metadata
 * @property {StoredOutput[]} [outputs]
 */
/**
 * @typedef {object} StoredOutput
 * @property {string} output_type
 * @property {string} [name]
 * @property {string | string[]} [text]
 * @property {Record<string, string | string[]>} [data]
 */
/**
 * What a cell asks of its chapter.
 * @typedef {object} Chapter
 * @property {Kept} kept
 * @property {() => void} keep
 * @property {(cell: Cell) => void} run
 * @property {(cell: Cell) => void} runAbove
 */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean>} properties
 * @param {HTMLElement} [parent]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties, parent) {
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
export function button(text, parent, action) {
  const made = make("button", { type: "button", textContent: text }, parent);
  made.addEventListener("click", action);
  return made;
}

/** @param {string | string[] | undefined} text */
export function joined(text) {
  return [text ?? ""].flat().join("");
}

/**
 * Return an output as it is compared: versions of Matplotlib differ by a pixel.
 * @param {string} kind
 * @param {string} text
 */
function comparable(kind, text) {
  return `${kind}\n${text.replace(/^<Figure size \d+x\d+ /, "<Figure size ")}`;
}

/** @param {string} kind */
function drawn(kind) {
  return kind === "picture" || kind === "figure";
}

export class Cell {
  /**
   * @param {HTMLElement} element the cell in the page
   * @param {StoredCell} stored the cell of the notebook
   * @param {number} place
   * @param {Chapter} chapter
   */
  constructor(element, stored, place, chapter) {
    this.element = element;
    this.place = place;
    this.chapter = chapter;
    this.id = stored.id;
    this.name = `cell ${String(place + 1)}`;
    this.book = joined(stored.source);
    this.stored = (stored.outputs ?? []).map(({ output_type, name, text, data }) =>
      output_type === "stream"
        ? comparable(name ?? "", joined(text))
        : comparable("result", joined(data?.["text/plain"])),
    );
    const tags = stored.metadata.tags ?? [];
    this.native = tags.includes("native-only");
    this.slow = tags.includes("slow-in-page");
    this.isExercise = /= \.\.\.\s/.test(this.book) && this.book.includes("exercises.");
    element.classList.toggle("live-exercise", this.isExercise);
    this.tools = make("div", { className: "live-tools" });
    this.code = this.book;
    this.output = make("div", { className: "live-output", hidden: true });
    this.note = make("span", { className: "live-note" });
    const printed = element.querySelector(":scope > .cell_output");
    element.append(this.output);
    element.insertBefore(this.tools, printed ?? this.output);
    if (this.native) {
      this.note.textContent =
        "Not in a browser: this cell needs a package that only an installation has.";
      this.tools.append(this.note);
    } else this.prepare();
  }

  get source() {
    return this.editor?.text ?? this.code;
  }

  /** Whether "run all" leaves the cell out. */
  get left() {
    return this.native || this.slow;
  }

  prepare() {
    const { tools, name, chapter } = this;
    const text = this.isExercise ? "Check my answer" : "Run";
    const run = button(text, tools, () => {
      chapter.run(this);
    });
    run.classList.add("live-run");
    run.setAttribute("aria-label", `${text}, ${name}`);
    const above = button("Run all above", tools, () => {
      chapter.runAbove(this);
    });
    above.setAttribute("aria-label", `Run all above ${name}`);
    this.edit = button("Edit", tools, () => {
      this.open();
      this.editor?.focus();
    });
    this.edit.setAttribute("aria-label", `Edit ${name}`);
    this.back = button("The book's code", tools, () => {
      delete chapter.kept.edits[this.id];
      chapter.keep();
      this.restore();
    });
    this.back.setAttribute("aria-label", `The book's code in ${name}`);
    tools.append(this.note);
    this.restore();
  }

  /** Show what the reader wrote the last time, or the book's code. */
  restore() {
    const mine = this.chapter.kept.edits[this.id];
    const changed = mine?.book === this.book;
    this.code = changed ? mine.mine : this.book;
    if (this.editor) this.editor.text = this.code;
    this.forget();
    if (changed || this.isExercise) this.open();
    else this.close();
  }

  /** Take away what the cell showed: Python began anew. */
  forget() {
    delete this.element.dataset.live;
    this.output.hidden = true;
    this.note.textContent = this.slow ? "Takes minutes in a page: runs only when asked." : "";
    if (this.chapter.kept.right[this.id]) this.note.textContent = "✓ answered before";
  }

  /** Put the editor in the place of the code. */
  open() {
    if (!this.editor) {
      const place = make("div", { className: "live-editor" });
      this.element.insertBefore(place, this.tools);
      this.editor = new Editor(place, `Code of ${this.name}`, {
        run: () => {
          this.chapter.run(this);
        },
        change: () => {
          this.noteChange();
        },
      });
      this.editor.text = this.code;
    }
    this.element.classList.add("live-open");
    if (this.edit) this.edit.hidden = true;
    this.offer();
  }

  /** Show the book's code. */
  close() {
    this.element.classList.remove("live-open");
    if (this.edit) this.edit.hidden = false;
    if (this.back) this.back.hidden = true;
  }

  /** Keep what was written. */
  noteChange() {
    const { chapter, id, book, source } = this;
    if (source === book) delete chapter.kept.edits[id];
    else chapter.kept.edits[id] = { book, mine: source };
    chapter.keep();
    this.offer();
  }

  /** Offer the book's code where the editor has other code, or may be closed. */
  offer() {
    if (this.back) this.back.hidden = this.isExercise && this.source === this.book;
  }

  /**
   * @param {"waiting" | "running" | "stopped"} state
   */
  mark(state) {
    this.element.dataset.live = state;
    this.note.textContent = { waiting: "waiting", running: "running ...", stopped: "stopped" }[
      state
    ];
  }

  /**
   * Show what the cell showed, and how that compares with the book.
   * @param {Output[]} outputs
   * @returns {string} the comparison in words
   */
  show(outputs) {
    this.output.replaceChildren();
    const picture = outputs.some(({ kind }) => drawn(kind));
    for (const { kind, text } of outputs) {
      if (kind === "picture") {
        const image = make("img", { alt: `The figure of ${this.name}, drawn in this page` });
        image.src = `data:image/png;base64,${text}`;
        this.output.append(image);
      } else if (kind === "figure") {
        void drawFigure(text, make("div", { className: "live-figure" }, this.output));
      } else if (!(picture && kind === "result")) {
        const pre = make("pre", { className: `live-${kind}`, tabIndex: "0" }, this.output);
        // the message of an error stands last, after the way that led to it
        const last = kind === "error" ? text.lastIndexOf("\n") + 1 : text.length;
        pre.append(text.slice(0, last));
        if (last < text.length) make("strong", { textContent: text.slice(last) }, pre);
      }
    }
    this.output.hidden = this.output.childElementCount === 0;
    const verdict = this.judge(outputs, picture);
    this.note.textContent = verdict;
    return verdict;
  }

  /**
   * @param {Output[]} outputs
   * @param {boolean} picture
   */
  judge(outputs, picture) {
    const texts = outputs.filter(({ kind }) => !drawn(kind));
    const failed = outputs.find(({ kind }) => kind === "error");
    this.element.dataset.live = failed ? "failed" : "done";
    if (failed) {
      const missing = failed.text.split("\n").at(-1)?.startsWith("NameError");
      return missing ? "Error. Have the cells above been run?" : "Error";
    }
    const mine = texts.map(({ kind, text }) => comparable(kind, text));
    const same = mine.join("\0") === this.stored.join("\0");
    if (this.isExercise) {
      if (same) return "no answer yet";
      if (!texts.some(({ text }) => text.startsWith("Right"))) return "not yet right";
      this.chapter.kept.right[this.id] = true;
      this.chapter.keep();
      return "✓ right";
    }
    if (!same) return this.source === this.book ? "run: differs from the book" : "run";
    if (picture) return "✓ run, the figure is drawn anew";
    if (texts.length > 0) return "✓ identical to the book";
    return this.source.includes("assert ") ? "✓ run, every check holds" : "✓ run";
  }
}
