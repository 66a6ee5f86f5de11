// @ts-check
// The editor of a cell: CodeMirror, which is loaded when a chapter is started.

/** @typedef {import("@codemirror/state").Extension} Extension */
/**
 * What the bundle has: see tools/javascript/vendor.js.
 * @typedef {object} CodeMirror
 * @property {typeof import("@codemirror/commands").defaultKeymap} defaultKeymap
 * @property {typeof import("@codemirror/commands").history} history
 * @property {typeof import("@codemirror/commands").historyKeymap} historyKeymap
 * @property {typeof import("@codemirror/lang-python").python} python
 * @property {typeof import("@codemirror/language").bracketMatching} bracketMatching
 * @property {typeof import("@codemirror/language").indentUnit} indentUnit
 * @property {typeof import("@codemirror/language").syntaxHighlighting} syntaxHighlighting
 * @property {typeof import("@codemirror/state").EditorState} EditorState
 * @property {typeof import("@codemirror/view").drawSelection} drawSelection
 * @property {typeof import("@codemirror/view").EditorView} EditorView
 * @property {typeof import("@codemirror/view").keymap} keymap
 * @property {typeof import("@lezer/highlight").classHighlighter} classHighlighter
 */

/** @type {CodeMirror} */
let library;

/** Load CodeMirror, which makes editors from then on. */
export async function loadEditor() {
  /** @type {unknown} */
  const module = await import(new URL("codemirror.min.js", import.meta.url).href);
  library = /** @type {CodeMirror} */ (module);
}

export class Editor {
  /**
   * @param {HTMLElement} place
   * @param {string} label what a screen reader calls it
   * @param {{ run: () => void, change: () => void }} actions
   */
  constructor(place, label, { run, change }) {
    const runKey = {
      run: () => {
        run();
        return true;
      },
    };
    const { defaultKeymap, EditorView, history, historyKeymap, keymap } = library;
    this.extensions = [
      keymap.of([
        { key: "Shift-Enter", ...runKey },
        { key: "Mod-Enter", ...runKey },
        ...defaultKeymap,
        ...historyKeymap,
      ]),
      history(),
      library.drawSelection(),
      library.bracketMatching(),
      library.indentUnit.of("    "),
      library.python(),
      library.syntaxHighlighting(library.classHighlighter),
      EditorView.contentAttributes.of({
        "aria-label": label,
        "aria-description": "Shift and Enter run the cell. Tab leaves the field.",
      }),
      EditorView.updateListener.of(({ docChanged }) => {
        if (docChanged) change();
      }),
    ];
    this.view = new EditorView({ parent: place, state: this.state("") });
  }

  /** @param {string} text */
  state(text) {
    return library.EditorState.create({ doc: text, extensions: this.extensions });
  }

  get text() {
    return this.view.state.doc.toString();
  }

  /** Begin with this text: there is nothing to undo. */
  set text(text) {
    this.view.setState(this.state(text));
  }

  /** Go to the first place that asks for an answer, or to the beginning. */
  focus() {
    const dots = this.text.indexOf("...");
    if (dots >= 0) this.view.dispatch({ selection: { anchor: dots, head: dots + 3 } });
    this.view.focus();
  }
}
