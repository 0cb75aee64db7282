// Builds the widget's one ESM into the Python package. Worklet sources become text, so that the module can make Blob URLs.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { build, transform } from "esbuild";

const STATIC = "src/cellvoice/_static";

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

/** `import text from "./x.css"`: the sheet as a string, without its spaces and comments. */
const sheetAsText = {
  name: "sheet-as-text",
  setup(pluginBuild) {
    pluginBuild.onLoad({ filter: /\.css$/ }, async (args) => {
      const sheet = await transform(await readFile(args.path, "utf8"), { loader: "css", minify: true });
      return { contents: sheet.code, loader: "text", watchFiles: [args.path] };
    });
  },
};

/** The licence texts of all npm packages whose code is in a bundle; their authors ask for no more than that. */
async function licences(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  const packages = inputs.flatMap((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? []);
  const texts = [...new Set(packages)].sort().map(async (name) => {
    const folder = `node_modules/${name}`;
    const { version } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
    const file = (await readdir(folder)).find((found) => /^licen[cs]e/i.test(found));
    if (file === undefined) throw new Error(`${name} has no licence file, so its code can't be shipped`);
    return `${name} ${version}\n\n${await readFile(`${folder}/${file}`, "utf8")}`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

const widget = await build({
  entryPoints: { widget: "js/widgets/index.tsx" },
  outdir: STATIC,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  plugins: [workletAsText, sheetAsText],
  legalComments: "none",
  metafile: true,
});
await writeFile(`${STATIC}/third-party-licences.txt`, await licences(widget.metafile));

// The JupyterLab half is bundled first, so that @jupyter/builder only has to wrap one plain module.
await build({
  entryPoints: { index: "js/lab/index.ts" },
  outdir: "build/lab",
  bundle: true,
  format: "esm",
  target: "es2022",
  plugins: [sheetAsText],
  external: ["@jupyterlab/*", "@lumino/*"],
  legalComments: "none",
});
