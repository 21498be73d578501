// What pages are written in: YAML front matter, Markdown, and macro calls in it.
import { markdown, markdownLanguage } from "@codemirror/lang-markdown";
import { yamlFrontmatter } from "@codemirror/lang-yaml";
import { syntaxTree } from "@codemirror/language";
import { RangeSetBuilder } from "@codemirror/state";
import { Decoration, ViewPlugin } from "@codemirror/view";
import { readCall } from "./call-words.js";

const OPEN = /\{\{[ \t]*([A-Za-z][\w-]*):?(?=[\s}])/g;
const PART = /([A-Za-z][\w.-]*)(:)|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\$\{[^}]*\}|[^\s{}]+/g;
const CODE = /Code|Comment/;

const marks = Object.fromEntries(["macro", "param", "str"].map((name) => [name, Decoration.mark({ class: `tk-${name}` })]));

/** Every macro call of a text: `{from, to, name, nameEnd}`; what stands in code is none. */
export function callsIn(state) {
  const text = state.doc.toString();
  const tree = syntaxTree(state);
  const found = [];
  for (const match of text.matchAll(OPEN)) {
    const from = match.index;
    if (found.length && from < found.at(-1).to) continue;
    if (CODE.test(tree.resolveInner(from, 1).name)) continue;
    const nameEnd = from + match[0].length;
    found.push({ from, to: readCall(text, from)?.to ?? lineEnd(text, nameEnd), name: match[1].replaceAll("-", "_").toLowerCase(), nameEnd });
  }
  return found;
}

/** A call that is not closed yet goes to the end of its line. */
function lineEnd(text, from) {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function decorate(view) {
  const builder = new RangeSetBuilder();
  for (const call of callsIn(view.state)) {
    builder.add(call.from, call.nameEnd, marks.macro);
    const closed = view.state.sliceDoc(call.to - 2, call.to) === "}}";
    const inner = view.state.sliceDoc(call.nameEnd, closed ? call.to - 2 : call.to);
    for (const part of inner.matchAll(PART)) {
      const at = call.nameEnd + part.index;
      builder.add(at, at + part[0].length, part[2] ? marks.param : marks.str);
    }
    if (closed) builder.add(call.to - 2, call.to, marks.macro);
  }
  return builder.finish();
}

const calls = ViewPlugin.fromClass(
  class {
    constructor(view) {
      this.decorations = decorate(view);
    }

    update(update) {
      if (update.docChanged || syntaxTree(update.startState) !== syntaxTree(update.state)) this.decorations = decorate(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

export const language = [yamlFrontmatter({ content: markdown({ base: markdownLanguage }) }), calls];
