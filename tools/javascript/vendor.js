// @ts-check
// Bundle the functions of d3-contour that the figures use into one file without imports,
// with its licence: `npm run vendor` writes it, `npm run vendored` says whether the file
// is what this makes of the versions in package-lock.json.
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { build } from "esbuild";

const TARGET = new URL(
  "../../convexnn_lib/widgets/parts/d3-contour.min.js",
  import.meta.url,
);

async function bundle() {
  const require = createRequire(import.meta.url);
  /** @param {string} name */
  const licenceOf = async (name) => {
    const folder = join(dirname(require.resolve(name)), "..");
    /** @type {unknown} */
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf-8"));
    const { version } = /** @type {{ version: string }} */ (about);
    const licence = await readFile(join(folder, "LICENSE"), "utf-8");
    return `${name} ${version}\n${licence.trim()}`;
  };
  const licences = await Promise.all(["d3-contour", "d3-array"].map(licenceOf));
  const { outputFiles } = await build({
    stdin: { contents: 'export { contours } from "d3-contour";', resolveDir: "." },
    bundle: true,
    minify: true,
    legalComments: "none",
    format: "iife",
    globalName: "d3",
    target: "es2022",
    write: false,
  });
  return (
    `// @ts-nocheck Made by tools/javascript/vendor.js.\n/*\n${licences.join("\n\n")}\n*/\n` +
    outputFiles[0].text +
    '/** @import * as Contour from "d3-contour" */\n' +
    "/** @type {typeof Contour.contours} */\nexport const contours = d3.contours;\n"
  );
}

const made = await bundle();
if (!process.argv.includes("--check")) await writeFile(TARGET, made);
else if ((await readFile(TARGET, "utf-8")) !== made) {
  console.error("parts/d3-contour.min.js is stale: run npm run vendor in tools/javascript.");
  process.exitCode = 1;
}
