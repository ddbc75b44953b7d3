import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default [
  { ignores: ["**/node_modules", "dist", "**/dist", "ui/src/schema.d.ts", "**/*.mjs"] },
  js.configs.recommended,
  ...ts.configs.recommended,
  jsxA11y.flatConfigs.recommended,
  {
    plugins: { "react-hooks": hooks },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "jsx-a11y/aria-role": ["error", { ignoreNonDOM: true }],
      complexity: ["error", 20],
      "max-lines": ["error", 500],
      eqeqeq: ["error", "always", { null: "ignore" }],
    },
  },
  {
    // One seam to the host: ui/ knows neither a router nor the global fetch.
    files: ["ui/src/**"],
    rules: {
      "no-restricted-globals": ["error", "fetch", "location", "history"],
      "no-restricted-imports": ["error", { patterns: ["react-router*", "@backstage/*", "@material-ui/*"] }],
    },
  },
];
