// Makes the icon font in two parts, so that page authors may name any icon of bootstrap-icons and yet a page loads few:
// the icons of icons.txt in one small font, and the whole font, which a browser fetches only where a page shows another.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import subsetFont from "subset-font";

/** Names in icons.txt: one or more a line, `#` starts a comment. */
async function usualNames(here) {
  const text = await readFile(path.join(here, "icons.txt"), "utf8");
  return text.replace(/#.*$/gm, "").split(/\s+/).filter(Boolean);
}

/** Write generated/icons.css and generated/icons.woff2. Throws where icons.txt names an icon that does not exist. */
export async function makeIcons(here) {
  const source = path.join(here, "node_modules/bootstrap-icons/font");
  const points = JSON.parse(await readFile(path.join(source, "bootstrap-icons.json"), "utf8"));
  const names = await usualNames(here);
  const unknown = names.filter((name) => !(name in points));
  if (unknown.length) throw new Error(`icons.txt names icons that bootstrap-icons does not have: ${unknown.join(", ")}`);

  const whole = await readFile(path.join(source, "fonts/bootstrap-icons.woff2"));
  const text = String.fromCodePoint(...names.map((name) => points[name]));
  const target = path.join(here, "generated");
  await mkdir(target, { recursive: true });
  await writeFile(path.join(target, "icons.woff2"), await subsetFont(whole, text, { targetFormat: "woff2" }));
  await writeFile(path.join(target, "icons.css"), sheet(points, names));
}

/** The face declared last wins for the characters of its range, so the whole font is asked for the others only. */
function sheet(points, names) {
  const hex = (name) => points[name].toString(16);
  // The space is in the range so that the line is measured by this font; without it icons stand too high.
  const range = ["U+20", ...names.map((name) => `U+${hex(name)}`)].join(",");
  const rules = Object.keys(points).map((name) => `.bi-${name}::before{content:"\\${hex(name)}"}`);
  return [
    face("../node_modules/bootstrap-icons/font/fonts/bootstrap-icons.woff2", "U+F000-FAFF"),
    face("./icons.woff2", range),
    ...rules,
  ].join("\n");
}

function face(url, range) {
  return `@font-face{font-family:"bootstrap-icons";src:url("${url}") format("woff2");font-display:block;unicode-range:${range}}`;
}
