import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

// What is opened must be closed: these go through the Scope or through the two audio files that own them.
const raw = {
  "no-restricted-properties": [
    "error",
    {
      property: "addEventListener",
      message: "Use scope.listen(), so that it is removed when the view goes.",
    },
    { property: "getUserMedia", message: "The microphone is opened in js/audio/ only." },
    { property: "setInterval", message: "Use a timer of the scope, so that it ends when the view goes." },
  ],
  "no-restricted-globals": [
    "error",
    { name: "addEventListener", message: "Use scope.listen(), so that it is removed when the view goes." },
    { name: "setInterval", message: "Use a timer of the scope, so that it ends when the view goes." },
  ],
  "no-restricted-syntax": [
    "error",
    {
      selector:
        "NewExpression[callee.name='AudioContext'], NewExpression[callee.property.name='AudioContext']",
      message: "The page has one AudioContext, which js/audio/ owns.",
    },
  ],
};

export default defineConfig(
  { ignores: ["build/", "dist/", "node_modules/", "output/", "src/", ".venv/", "tests/browser/**/*.js"] },
  js.configs.recommended,
  {
    files: ["js/**/*.ts", "js/**/*.tsx"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...raw,
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // A handler that returns nothing may have a call as its body, or leave a switch with one.
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
    },
  },
  {
    files: ["js/core/scope.ts", "js/audio/**/*.ts"],
    rules: {
      "no-restricted-properties": "off",
      "no-restricted-globals": "off",
      "no-restricted-syntax": "off",
    },
  },
  {
    files: ["js/**/*.mjs", "*.js", "*.mjs"],
    languageOptions: { globals: { URL: "readonly", console: "readonly", process: "readonly" } },
  },
  {
    // Tests may reach for what the sources may not, and wait for nothing.
    files: ["js/test/**/*.ts", "js/test/**/*.tsx", "js/**/*.test.ts", "js/**/*.test.tsx"],
    rules: {
      "no-restricted-properties": "off",
      "no-restricted-globals": "off",
      "no-restricted-syntax": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/unbound-method": "off",
    },
  },
);
