// The editor of pages. It is loaded by its own page only.
import { Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { element, icon } from "../page.js";
import { load, readDesk } from "./desk.js";
import { startNotes } from "./notes.js";
import { startPreview } from "./preview.js";
import { startSaving } from "./saving.js";
import { startTabs } from "./tabs.js";
import { goToMistake, makeText, markMistakes } from "./text.js";

const find = (id) => document.getElementById(id);

async function start() {
  const desk = readDesk(find("sheet"));
  const notes = startNotes(find("notes"));
  const { text, failure } = await load(desk);
  if (failure) return notes.say("load", failure.message, { look: "bad" });
  const after = []; // what hears of changes
  const commands = keymap.of([{ key: "Mod-s", run: () => Boolean(saving.save()), preventDefault: true }]);
  const listener = EditorView.updateListener.of((update) => {
    if (update.docChanged) for (const one of after) one();
    if (update.docChanged || update.selectionSet) showPlace(update.view);
  });
  const view = makeText(find("text"), text, [Prec.high(commands), listener]);
  const tell = (mistakes) => showMistakes(view, mistakes);
  const saving = startSaving(desk, view, find("save"), (error) => refused(error), () => notes.clear("save"));
  const preview = startPreview(desk, view, find("preview"), tell);
  after.push(() => preview.changed());

  function refused(error) {
    notes.say("save", error.message, { look: "bad" });
    if (error.detail?.line) tell([{ line: error.detail.line, message: error.message }]);
  }

  find("close").addEventListener("click", () => location.assign(desk.address));
  find("problems").addEventListener("click", () => goToMistake(view));
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s" && !event.defaultPrevented) {
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) saving.save();
    }
  });
  startTabs(find("editor"));
  showPlace(view);
  view.focus();
  find("sheet").dataset.ready = "true";
  return undefined;
}

function showPlace(view) {
  const { main } = view.state.selection;
  const line = view.state.doc.lineAt(main.head);
  find("where").textContent = `Ln ${line.number}, Col ${main.head - line.from + 1}`;
}

function showMistakes(view, mistakes) {
  markMistakes(view, mistakes);
  const button = find("problems");
  button.hidden = !mistakes.length;
  button.replaceChildren(icon("x-circle"), element("span", {}, mistakes.length === 1 ? "1 problem" : `${mistakes.length} problems`));
  button.title = mistakes[0]?.message ?? "";
}

start();
