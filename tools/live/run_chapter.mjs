// Runs the code cells of a chapter in Pyodide, and prints what each of them showed.
//
//     node tools/live/run_chapter.mjs LIVE NOTEBOOK [PATTERN]
//
// LIVE is what tools/live/assemble.py made, NOTEBOOK a chapter. The result is one line of
// JSON a cell: its id, what it showed, how long it took. It is compared with what the
// notebook has stored by tests/live. Cells with a tag in SKIPPED are left out.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const SKIPPED = ["install", "native-only", "slow-in-page"];
const HERE = path.dirname(new URL(import.meta.url).pathname);
const HARNESS = path.join(HERE, "..", "..", "_ext", "live", "live_cells.py");

const [live, notebook] = process.argv.slice(2).map((name) => path.resolve(name));
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
const cells = python.pyimport("live_cells");
say({ id: "start", cpu: seconds() });

const code = JSON.parse(fs.readFileSync(notebook, "utf8")).cells.filter(
    (cell) => cell.cell_type === "code",
);
for (const [number, cell] of code.entries()) {
    const tags = cell.metadata.tags ?? [];
    if (tags.some((tag) => SKIPPED.includes(tag))) continue;
    const source = [cell.source].flat().join("");
    const before = seconds();
    await load(cells.packages(source).toJs());
    const outputs = JSON.parse(cells.run(source, number));
    const shown = outputs.map((output) =>
        ["picture", "figure"].includes(output.kind) ? { ...output, text: "" } : output,
    );
    say({ id: cell.id, outputs: shown, cpu: seconds() - before });
}
say({ id: "end", cpu: seconds(), heap: python._module.HEAP8.length });
process.exit(0);
