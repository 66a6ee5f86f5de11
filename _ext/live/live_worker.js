// @ts-check
// Runs the cells of a chapter beside the page: Pyodide and the library, from the book's
// own files. The page sends cells and gets back what they showed; it stops a cell by
// ending this worker.

/** @typedef {{ kind: string, text: string }} Output */
/** @typedef {{ kind: "start", live: string, harness: string, store: string }} Start */
/** @typedef {{ kind: "run", place: number, source: string }} Run */
/** @typedef {{ toJs(): string[] }} PythonList */
/**
 * The part of live_cells.py that is called here.
 * @typedef {object} Cells
 * @property {(source: string) => PythonList} packages
 * @property {(source: string, number: number) => string} run
 */
/**
 * The part of Pyodide that is used here.
 * @typedef {object} Pyodide
 * @property {(names: string[], options: object) => Promise<unknown>} loadPackage
 * @property {(name: string) => Cells} pyimport
 * @property {{ writeFile(path: string, content: string): void }} FS
 */
/** @typedef {{ loadPyodide: (options: object) => Promise<Pyodide> }} Module */

/** @type {Promise<{ python: Pyodide, cells: Cells }> | undefined} */
let ready;
let received = 0;

/**
 * Have every file of the runtime kept for the next visit, and its bytes counted.
 * @param {string} live
 * @param {string} store
 */
async function keepFiles(live, store) {
  const plain = self.fetch.bind(self);
  const old = "caches" in self ? await caches.keys() : [];
  for (const name of old)
    if (name.startsWith("convexnn-live") && name !== store) await caches.delete(name);
  const kept = "caches" in self ? await caches.open(store) : undefined;
  self.fetch = async (input, options) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.startsWith(live)) return plain(input, options);
    let answer = await kept?.match(url);
    if (!answer) {
      answer = await plain(input, options);
      if (!answer.ok) throw new Error(`${url}: ${String(answer.status)}`);
      // a full disk does not keep the chapter from running
      await kept?.put(url, answer.clone()).catch(() => undefined);
    }
    const counter = new TransformStream({
      /**
       * @param {Uint8Array} part
       * @param {TransformStreamDefaultController<Uint8Array>} out
       */
      transform(part, out) {
        received += part.length;
        self.postMessage({ kind: "progress", received });
        out.enqueue(part);
      },
    });
    const { headers, status } = answer;
    return new Response(answer.body?.pipeThrough(counter), { headers, status });
  };
}

/** @param {Start} message */
async function start({ live, harness, store }) {
  await keepFiles(live, store);
  /** @type {unknown} */
  const module = await import(`${live}pyodide.mjs`);
  const { loadPyodide } = /** @type {Module} */ (module);
  const python = await loadPyodide({ indexURL: live });
  await python.loadPackage(["convexnn-lib"], { messageCallback: () => undefined });
  const text = await (await fetch(harness)).text();
  python.FS.writeFile("/lib/python3.12/site-packages/live_cells.py", text);
  return { python, cells: python.pyimport("live_cells") };
}

/** @param {Run} message */
async function run({ place, source }) {
  if (!ready) throw new Error("nothing has been started");
  const { python, cells } = await ready;
  const names = cells.packages(source).toJs();
  await python.loadPackage(names, { messageCallback: () => undefined });
  self.postMessage({ kind: "begun", place });
  /** @type {unknown} */
  const outputs = JSON.parse(cells.run(source, place));
  self.postMessage({ kind: "done", place, outputs });
}

self.onmessage = async (/** @type {MessageEvent<Start | Run>} */ { data }) => {
  try {
    if (data.kind === "start") {
      ready = start(data);
      await ready;
      self.postMessage({ kind: "ready" });
    } else await run(data);
  } catch (error) {
    self.postMessage({ kind: "failed", text: String(error) });
  }
};
