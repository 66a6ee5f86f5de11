// @ts-check
// Runs the cells of a chapter beside the page: Pyodide and the library, from the book's
// own files. The page sends cells and gets back what they showed; it stops a cell by
// ending this worker.

/** @typedef {{ kind: string, text: string }} Output */
/** @typedef {{ kind: "start", live: string, harness: string, store: string }} Start */
/** @typedef {{ kind: "run", number: number, source: string }} Run */
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

const QUIET = { messageCallback: () => undefined };

/** @type {Promise<{ python: Pyodide, cells: Cells }> | undefined} */
let ready;
let received = 0;

/** @param {number} bytes */
function count(bytes) {
  received += bytes;
  self.postMessage({ kind: "progress", received });
}

/**
 * Have every file of the runtime kept for the next visit, and its bytes counted.
 * @param {string} live
 * @param {string} store
 */
async function keepFiles(live, store) {
  const plain = self.fetch.bind(self);
  // a browser keeps nothing for pages whose address is not secure
  const kept = "caches" in self ? await caches.open(store) : undefined;
  if (kept)
    for (const name of await caches.keys())
      if (name.startsWith("convexnn-live") && name !== store) await caches.delete(name);
  self.fetch = async (input, options) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.startsWith(live)) return plain(input, options);
    const found = await kept?.match(url);
    if (found) {
      count(Number(found.headers.get("content-length") ?? 0));
      return found;
    }
    const answer = await plain(input, options);
    if (!answer.ok) throw new Error(`${url}: ${String(answer.status)}`);
    // a full disk does not keep the chapter from running
    void kept?.put(url, answer.clone()).catch(() => undefined);
    const counter = new TransformStream({
      /**
       * @param {Uint8Array} part
       * @param {TransformStreamDefaultController<Uint8Array>} out
       */
      transform(part, out) {
        count(part.length);
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
  const text = fetch(harness).then((answer) => answer.text());
  /** @type {unknown} */
  const module = await import(`${live}pyodide.mjs`);
  const { loadPyodide } = /** @type {Module} */ (module);
  const python = await loadPyodide({ indexURL: live });
  await python.loadPackage(["convexnn-lib"], QUIET);
  python.FS.writeFile("/lib/python3.12/site-packages/live_cells.py", await text);
  return { python, cells: python.pyimport("live_cells") };
}

/** @param {Run} message */
async function run({ number, source }) {
  if (!ready) throw new Error("nothing has been started");
  const { python, cells } = await ready;
  await python.loadPackage(cells.packages(source).toJs(), QUIET);
  /** @type {unknown} */
  const outputs = JSON.parse(cells.run(source, number));
  self.postMessage({ kind: "done", outputs });
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
