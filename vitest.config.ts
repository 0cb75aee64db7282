import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { build } from "esbuild";
import { defineConfig, type Plugin } from "vitest/config";

/** The same two text imports that js/build.mjs knows: style sheets and bundled worklets. */
const textImports: Plugin = {
  name: "text-imports",
  enforce: "pre",
  resolveId(source, importer) {
    if (importer === undefined) return null;
    if (source.endsWith(".css") || source.endsWith("?worklet")) {
      return `\0text:${resolve(dirname(importer), source)}`;
    }
    return null;
  },
  async load(id) {
    if (!id.startsWith("\0text:")) return null;
    const path = id.slice("\0text:".length);
    if (path.endsWith(".css")) return `export default ${JSON.stringify(await readFile(path, "utf8"))};`;
    const entry = path.replace(/\?worklet$/, "");
    const made = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "iife",
      target: "es2022",
    });
    return `export default ${JSON.stringify(made.outputFiles[0]?.text ?? "")};`;
  },
};

export default defineConfig({
  plugins: [textImports],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: { environment: "jsdom", include: ["js/test/**/*.test.{ts,tsx}"] },
});
