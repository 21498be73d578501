// What the server knows that a writer may want: asked once, when it is first needed.
import { call } from "../calls.js";

/** Marks of the page's layout, which are written as macros are. */
const LAYOUT = [
  ["columns", "A wide and a narrow column, until {{end}}"],
  ["halves", "Two columns of one width, until {{end}}"],
  ["column", "The next column"],
  ["end", "The end of the columns"],
].map(([name, summary]) => ({ name, summary, doc: summary, arguments: [], layout: true }));

/** @returns {Record<string, () => Promise<any>>} */
export function startKnowledge(desk) {
  const once = (ask) => {
    let asked = null;
    return () => (asked ??= ask());
  };
  const list = async (method, body = {}) => (await call(method, body)).result ?? [];
  return {
    macros: once(async () => [...(await list("system/editor/macros")), ...LAYOUT]),
    methods: once(() => list("system/docgenerator/listMethods")),
    links: once(() => list("system/editor/links", { space: desk.space })),
    files: () => list("system/pages/attachments", { space: desk.space }), // files come while one writes
    icons: once(async () => iconNames()),
  };
}

/** The icons that the portal's own style sheet has. */
function iconNames() {
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
  return rules.map((rule) => rule.selectorText?.match(/^\.bi-([\w-]+)::?before$/)?.[1]).filter(Boolean);
}
