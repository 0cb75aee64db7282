// Builds the widget's one ESM into the Python package. Worklet sources become text, so that the module can make Blob URLs.
import { build } from "esbuild";

/** `import source from "./x-worklet.ts?worklet"`: that file, bundled on its own, as a string. */
const workletAsText = {
  name: "worklet-as-text",
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /\?worklet$/ }, (args) => ({
      path: new URL(args.path.replace(/\?worklet$/, ""), `file://${args.resolveDir}/`).pathname,
      namespace: "worklet",
    }));
    pluginBuild.onLoad({ filter: /.*/, namespace: "worklet" }, async (args) => {
      const result = await build({
        entryPoints: [args.path],
        bundle: true,
        write: false,
        format: "iife",
        minify: true,
        target: "es2022",
      });
      return { contents: result.outputFiles[0].text, loader: "text", watchFiles: [args.path] };
    });
  },
};

await build({
  entryPoints: { widget: "js/widgets/index.tsx" },
  outdir: "src/cellvoice/_static",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  loader: { ".css": "text" },
  plugins: [workletAsText],
  legalComments: "none",
});

// The JupyterLab half is bundled first, so that @jupyter/builder only has to wrap one plain module.
await build({
  entryPoints: { index: "js/lab/index.ts" },
  outdir: "build/lab",
  bundle: true,
  format: "esm",
  target: "es2022",
  loader: { ".css": "text" },
  external: ["@jupyterlab/*", "@lumino/*"],
  legalComments: "none",
});
