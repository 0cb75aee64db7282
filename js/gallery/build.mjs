// Builds the gallery, a page with every state of every view, for looking at: node js/gallery/build.mjs [folder]
import { cp } from "node:fs/promises";
import { build } from "esbuild";

const out = process.argv[2] ?? "build/gallery";
await build({
  entryPoints: { gallery: "js/gallery/gallery.tsx" },
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  loader: { ".css": "text" },
});
await cp("js/gallery/index.html", `${out}/index.html`);
