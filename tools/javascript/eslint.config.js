// @ts-check
// Run from the root of the project: see the scripts in package.json.
import eslint from "@eslint/js";
import { defineConfig } from "eslint/config";
import globals from "globals";
import typescript from "typescript-eslint";

export default defineConfig(
  { ignores: ["**/node_modules/", "**/*.min.js"] },
  eslint.configs.recommended,
  typescript.configs.recommendedTypeChecked, // no any reaches what is computed or shown
  {
    languageOptions: { parserOptions: { project: "./tsconfig.json" } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      complexity: ["error", 25],
      eqeqeq: "error",
      "max-lines": ["error", 450],
      "no-param-reassign": "error",
      "no-var": "error",
      "prefer-const": "error",
      // `M${point}` is how paths are written
      "@typescript-eslint/restrict-template-expressions": [
        "error", { allowArray: true, allowNumber: true },
      ],
    },
  },
  {
    files: ["convexnn_lib/**", "_ext/**", "slides/**"],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ["tools/**"],
    languageOptions: { globals: globals.node },
  },
);
