// Makes portalfw/web/static/bundle/: style, script and fonts with content hashes in their names, and a manifest.json
// from which portalfw/web/assets.py learns those names. `node build.mjs --watch` builds again on every change.
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { makeIcons } from "./icons.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const output = path.join(here, "..", "static", "bundle");
const inter = "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2";

/** What a page loads, by the name that templates use. */
const entries = {
  portal: "src/portal.css",
  "portal-script": "src/portal.js",
  theme: "src/theme.js",
};

/** Files that templates name themselves (preloaded fonts, the favicon): asset name -> source. */
const named = {
  "inter.woff2": inter,
  "icons.woff2": "generated/icons.woff2",
  "favicon.svg": "src/favicon.svg",
};

/** Write manifest.json: asset name -> file name with its content hash. */
const manifest = {
  name: "manifest",
  setup(build) {
    build.onEnd(async ({ metafile, errors }) => {
      if (errors.length) return;
      const names = {};
      for (const [file, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
        const source = entryPoint ?? (Object.keys(inputs).length === 1 ? Object.keys(inputs)[0] : "");
        for (const [name, wanted] of Object.entries(named)) if (source === wanted) names[name] = path.basename(file);
        if (source.startsWith("src/portal.")) names[path.basename(source)] = path.basename(file);
        if (source === "src/theme.js") names["theme.js"] = path.basename(file);
      }
      const sorted = Object.fromEntries(Object.entries(names).sort());
      await writeFile(path.join(output, "manifest.json"), JSON.stringify(sorted, null, 2) + "\n");
    });
  },
};

await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
await makeIcons(here);

const options = {
  absWorkingDir: here,
  entryPoints: [...Object.values(entries), "src/favicon.svg"],
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
  plugins: [manifest],
};

if (process.argv.includes("--watch")) {
  await (await esbuild.context(options)).watch();
} else {
  await esbuild.build(options);
}
