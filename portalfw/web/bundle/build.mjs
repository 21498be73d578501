// Makes portalfw/web/static/bundle/: style, script and fonts with content hashes in their names, and a manifest.json
// from which portalfw/web/assets.py learns those names. `node build.mjs --watch` builds again on every change.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import * as esbuild from "esbuild";
import { makeIcons } from "./icons.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const output = path.join(here, "..", "static", "bundle");

/** What templates ask for: asset name -> source file. */
const assets = {
  "portal.css": "src/portal.css",
  "portal.js": "src/portal.js",
  "theme.js": "src/theme.js",
  "editor.css": "src/style/editor.css",
  "editor.js": "src/script/editor/editor.js",
  "files.js": "src/script/files/files.js",
  "chart.js": "src/chart.js",
  "console.js": "src/console.js",
  "diagram.js": "src/diagram.js",
  "favicon.svg": "src/favicon.svg",
  "icons.woff2": "generated/icons.woff2",
  "inter.woff2": "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
};

/** Scripts that load parts of themselves when they need them; no other page loads anything of theirs. */
const modules = [assets["editor.js"], assets["files.js"], assets["chart.js"], assets["console.js"], assets["diagram.js"]];

/** After each build: manifest.json, and a compressed twin of every text file. */
const finish = {
  name: "finish",
  setup(build) {
    build.onEnd(async ({ metafile, errors }) => {
      if (errors.length) return;
      Object.assign(outputs, metafile.outputs);
      await writeManifest();
      await Promise.all(Object.keys(metafile.outputs).filter((file) => /\.(css|js|svg)$/.test(file)).map(compress));
    });
  },
};

/** What both builds wrote: file -> where it came from. */
const outputs = {};

async function writeManifest() {
  const made = Object.fromEntries(Object.entries(outputs).map(([file, { entryPoint, inputs }]) => [entryPoint ?? Object.keys(inputs)[0], file]));
  const names = Object.entries(assets).filter(([, source]) => made[source]).map(([name, source]) => [name, path.basename(made[source])]);
  await writeFile(path.join(output, "manifest.json"), JSON.stringify(Object.fromEntries(names), null, 2) + "\n");
}

async function compress(file) {
  const whole = path.join(here, file);
  const packed = await promisify(gzip)(await readFile(whole), { level: constants.Z_BEST_COMPRESSION });
  await writeFile(`${whole}.gz`, packed);
}

await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
await makeIcons(here);

const options = {
  absWorkingDir: here,
  entryPoints: Object.values(assets).filter((source) => source.startsWith("src/") && !modules.includes(source)),
  outdir: output,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome120", "firefox121", "safari17"],
  loader: { ".woff2": "file", ".svg": "copy" },
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
  plugins: [finish],
};

const moduleOptions = {
  ...options,
  entryPoints: modules,
  chunkNames: "[name]-[hash]",
  format: "esm",
  splitting: true,
  // CodeMirror's styles become sheets made by script, which the content security policy allows; see the file.
  alias: { "style-mod": path.join(here, "src/script/editor/style-mod.js") },
};

for (const one of [options, moduleOptions]) {
  if (process.argv.includes("--watch")) await (await esbuild.context(one)).watch();
  else await esbuild.build(one);
}
