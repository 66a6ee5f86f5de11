// @ts-check
// Bundle what the book uses of other libraries into files without imports, each with its
// licences: `npm run vendor` writes them, `npm run vendored` says whether the files are
// what this makes of the versions in package-lock.json.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { build } from "esbuild";

/**
 * @typedef {object} Bundle
 * @property {string} target
 * @property {string} contents what is bundled
 * @property {import("esbuild").BuildOptions} options
 * @property {string} end what is appended
 */

/** @type {Bundle[]} */
const BUNDLES = [
  {
    target: "../../convexnn_lib/widgets/parts/d3-contour.min.js",
    contents: 'export { contours } from "d3-contour";',
    options: { format: "iife", globalName: "d3" },
    end:
      '/** @import * as Contour from "d3-contour" */\n' +
      "/** @type {typeof Contour.contours} */\nexport const contours = d3.contours;\n",
  },
  {
    target: "../../_ext/live/codemirror.min.js",
    contents: `
      export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
      export { python } from "@codemirror/lang-python";
      export { bracketMatching, indentUnit, syntaxHighlighting } from "@codemirror/language";
      export { EditorState } from "@codemirror/state";
      export { drawSelection, EditorView, keymap } from "@codemirror/view";
      export { classHighlighter } from "@lezer/highlight";`,
    options: { format: "esm" },
    end: "",
  },
];

/**
 * Return the folder of the package that a file belongs to.
 * @param {string} file
 * @returns {string}
 */
function packageOf(file) {
  const folder = dirname(file);
  const isRoot = existsSync(join(folder, "LICENSE")) && existsSync(join(folder, "package.json"));
  return isRoot ? folder : packageOf(folder);
}

/** @param {string} folder */
async function licenceOf(folder) {
  /** @type {unknown} */
  const about = JSON.parse(await readFile(join(folder, "package.json"), "utf-8"));
  const { name, version } = /** @type {{ name: string, version: string }} */ (about);
  const licence = await readFile(join(folder, "LICENSE"), "utf-8");
  return `${name} ${version}\n${licence.trim()}`;
}

/** @param {Bundle} bundle */
async function make({ contents, options, end }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: "." },
    bundle: true,
    metafile: true,
    minify: true,
    legalComments: "none",
    target: "es2022",
    write: false,
    ...options,
  });
  const files = Object.keys(metafile?.inputs ?? {}).filter((file) => file.includes("node_modules"));
  const folders = [...new Set(files.map(packageOf))].sort().reverse();
  const licences = await Promise.all(folders.map(licenceOf));
  const head = "// @ts-nocheck Made by tools/javascript/vendor.js.\n";
  return `${head}/*\n${licences.join("\n\n")}\n*/\n${outputFiles?.[0].text ?? ""}${end}`;
}

for (const bundle of BUNDLES) {
  const target = new URL(bundle.target, import.meta.url);
  const made = await make(bundle);
  if (!process.argv.includes("--check")) await writeFile(target, made);
  else if (!existsSync(target) || (await readFile(target, "utf-8")) !== made) {
    console.error(`${bundle.target} is stale: run npm run vendor in tools/javascript.`);
    process.exitCode = 1;
  }
}
