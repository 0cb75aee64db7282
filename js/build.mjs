// Builds the browser half into the Python package: the ESM of every widget, and the one module that a page loads once.
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const STATIC = "src/cellvoice/_static";

/** `import source from "./x-worklet.ts?worklet"`: that file, bundled on its own, as a string for a Blob URL. */
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
  if (packages.length === 0) throw new Error("the bundle names no npm package, although it has some");
  const texts = [...new Set(packages)].sort().map(async (name) => {
    const folder = `node_modules/${name}`;
    const { version } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
    const file = (await readdir(folder)).find((found) => /^licen[cs]e/i.test(found));
    if (file === undefined) throw new Error(`${name} has no licence file, so its code can't be shipped`);
    return `${name} ${version}\n\n${await readFile(`${folder}/${file}`, "utf8")}`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

const inBrowser = {
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  plugins: [workletAsText, sheetAsText],
  legalComments: "none",
  // A checkout that shares another one's node_modules by a link has its packages under the same names.
  preserveSymlinks: true,
};
await build({ ...inBrowser, entryPoints: { widget: "js/widgets/entry.ts" }, outdir: STATIC });
const page = await build({
  ...inBrowser,
  entryPoints: { page: "js/widgets/index.tsx" },
  outdir: STATIC,
  metafile: true,
  write: false,
});
// Zipped here and not at every start of a kernel. The name is what a debugger shows, since the module has no address.
await writeFile(
  `${STATIC}/page.js.gz`,
  gzipSync(`${page.outputFiles[0].text}//# sourceURL=cellvoice/page.js\n`, { level: 9 }),
);
await writeFile(`${STATIC}/third-party-licences.txt`, await licences(page.metafile));

// The JupyterLab half is bundled first, so that @jupyter/builder only has to wrap plain modules: what is shown (`index`),
// what reaches the kernel (`plugin`), and what both share.
await rm("build/lab", { recursive: true, force: true });
await build({
  entryPoints: { index: "js/lab/index.ts", plugin: "js/lab/plugin.ts" },
  outdir: "build/lab",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  plugins: [sheetAsText],
  external: ["@jupyterlab/*", "@lumino/*"],
  legalComments: "none",
});
