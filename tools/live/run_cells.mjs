// Runs cells in Pyodide, and says what each of them showed.
//
//     node tools/live/run_cells.mjs LIVE PLAN
//
// LIVE is what tools/live/assemble.py made. PLAN is a JSON file: a list of lists of cells
// {"id", "source"}, of which those of one list share their names; another begins without
// any. What each cell showed is a line of JSON, as soon as it has run.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const HERE = path.dirname(new URL(import.meta.url).pathname);
const HARNESS = path.join(HERE, "..", "..", "_ext", "live", "live_cells.py");

const [live, plan] = process.argv.slice(2).map((name) => path.resolve(name));
const { loadPyodide } = await import(pathToFileURL(path.join(live, "pyodide.mjs")).href);
const say = (value) => fs.writeSync(1, JSON.stringify(value) + "\n");
const seconds = () => {
    const used = process.cpuUsage();
    return (used.user + used.system) / 1e6;
};
const python = await loadPyodide({
    indexURL: live + path.sep,
    stdout: () => {},
    stderr: (text) => say({ id: "outside", outputs: [{ kind: "stderr", text }] }),
});
const load = async (names) => python.loadPackage(names, { messageCallback: () => {} });
await load(["convexnn-lib"]);
python.FS.writeFile("/lib/python3.12/site-packages/live_cells.py", fs.readFileSync(HARNESS));
const harness = python.pyimport("live_cells");
say({ id: "start", cpu: seconds() });

for (const cells of JSON.parse(fs.readFileSync(plan, "utf8"))) {
    harness.forget();
    for (const [number, { id, source }] of cells.entries()) {
        const before = seconds();
        await load(harness.packages(source).toJs());
        const outputs = JSON.parse(harness.run(source, number));
        const shown = outputs.map((output) =>
            ["picture", "figure"].includes(output.kind) ? { ...output, text: "" } : output,
        );
        say({ id, outputs: shown, cpu: seconds() - before });
    }
}
say({ id: "end", cpu: seconds(), heap: python._module.HEAP8.length });
process.exit(0);
