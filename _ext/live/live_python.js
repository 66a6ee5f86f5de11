// @ts-check
// Python beside the page: a worker that is given cells one at a time, and ended to stop.

/** @typedef {{ kind: string, text: string }} Output */
/** @typedef {{ live: string, harness: string, store: string }} Places */
/**
 * What the worker says.
 * @typedef {object} Message
 * @property {string} kind
 * @property {number} [received]
 * @property {Output[]} [outputs]
 * @property {string} [text]
 */

const STOPPED = new Error("Python was stopped while it started.");

export class Python {
  /**
   * @param {Places} places
   * @param {(received: number) => void} onProgress told how many bytes have come
   */
  constructor(places, onProgress) {
    this.places = places;
    this.onProgress = onProgress;
    /** @type {Worker | undefined} */
    this.worker = undefined;
    /** @type {Promise<void> | undefined} */
    this.ready = undefined;
    /** @type {((outputs: Output[] | undefined) => void) | undefined} */
    this.finish = undefined;
    /** @type {(() => void) | undefined} */
    this.cancel = undefined;
  }

  /** Start Python, unless it has been; resolves when cells can run. */
  start() {
    this.ready ??= this.launch();
    return this.ready;
  }

  /** @returns {Promise<void>} */
  launch() {
    const worker = new Worker(new URL("live_worker.js", import.meta.url), { type: "module" });
    this.worker = worker;
    return new Promise((resolve, reject) => {
      /** @param {string | undefined} text */
      const fail = (text) => {
        this.stop();
        reject(new Error(text));
      };
      this.cancel = () => {
        reject(STOPPED);
      };
      worker.onmessage = (/** @type {MessageEvent<Message>} */ { data }) => {
        if (data.kind === "progress") this.onProgress(data.received ?? 0);
        else if (data.kind === "ready") resolve();
        else if (data.kind === "done") this.finish?.(data.outputs);
        else if (this.finish) this.finish([{ kind: "error", text: data.text ?? "" }]);
        else fail(data.text);
      };
      worker.onerror = (event) => {
        fail(event.message);
      };
      worker.postMessage({ kind: "start", ...this.places });
    });
  }

  /**
   * Run a cell; the answer is nothing if that was stopped.
   * @param {number} number
   * @param {string} source
   * @returns {Promise<Output[] | undefined>}
   */
  async run(number, source) {
    try {
      await this.start();
    } catch (error) {
      if (error === STOPPED) return undefined;
      return [{ kind: "error", text: String(error) }];
    }
    const outputs = await new Promise((/** @type {typeof this.finish} */ resolve) => {
      this.finish = resolve;
      this.worker?.postMessage({ kind: "run", number, source });
    });
    this.finish = undefined;
    return outputs;
  }

  /** End Python with whatever it is doing. */
  stop() {
    this.worker?.terminate();
    this.worker = undefined;
    this.ready = undefined;
    this.cancel?.();
    this.finish?.(undefined);
  }
}
