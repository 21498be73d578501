// Buttons and keys that write Markdown around what is selected.
import { keymap } from "@codemirror/view";
import { pickFiles } from "./files.js";

const TABLE = "| Name | What |\n|---|---|\n| one | … |\n";

const tools = {
  heading: (view) => prefix(view, "## "),
  bold: (view) => around(view, "**", "**", "bold"),
  italic: (view) => around(view, "*", "*", "italic"),
  link: (view) => around(view, "[", "]()", "label", 2),
  list: (view) => prefix(view, "- "),
  table: (view) => ownLines(view, TABLE),
};

export const toolKeys = keymap.of([
  { key: "Mod-b", run: (view) => done(tools.bold(view)) },
  { key: "Mod-i", run: (view) => done(tools.italic(view)) },
]);

const done = () => true;

export function startToolbar(desk, view, place) {
  place.addEventListener("click", (event) => {
    const name = event.target.closest("[data-tool]")?.dataset.tool;
    if (name === "image") return pickFiles(desk, view);
    if (!name) return undefined;
    tools[name](view);
    return view.focus();
  });
}

/** Put marks around the selection, or around a sample word, which is selected then; `behind` marks end within the last. */
function around(view, before, after, sample, behind = 0) {
  const { from, to } = view.state.selection.main;
  const words = view.state.sliceDoc(from, to) || sample;
  const start = from + before.length;
  const inside = behind ? { anchor: start + words.length + behind } : { anchor: start, head: start + words.length };
  view.dispatch({ changes: { from, to, insert: before + words + after }, selection: inside, userEvent: "input" });
}

/** Begin each selected line with a mark, or take it away where all have it. */
function prefix(view, mark) {
  const { from, to } = view.state.selection.main;
  const lines = [];
  for (let at = from; at <= to; ) {
    const line = view.state.doc.lineAt(at);
    lines.push(line);
    at = line.to + 1;
  }
  const all = lines.every((line) => line.text.startsWith(mark));
  view.dispatch({
    changes: lines.map((line) => (all ? { from: line.from, to: line.from + mark.length } : { from: line.from, insert: mark })),
    userEvent: "input",
  });
}

/** Insert text that needs lines of its own, with an empty one before it. */
export function ownLines(view, text) {
  const line = view.state.doc.lineAt(view.state.selection.main.head);
  const empty = !line.text.trim();
  const insert = empty ? text : `\n\n${text}`;
  const from = empty ? line.from : line.to;
  view.dispatch({ changes: { from, to: line.to, insert }, selection: { anchor: from + insert.length }, userEvent: "input", scrollIntoView: true });
}
