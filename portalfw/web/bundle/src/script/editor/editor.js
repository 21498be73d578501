// The editor of pages. It is loaded by its own page only.
import { Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { element, icon } from "../page.js";
import { completion } from "./completion.js";
import { load, readDesk } from "./desk.js";
import { startDrafts } from "./drafts.js";
import { fileEvents } from "./files.js";
import { startKnowledge } from "./knowledge.js";
import { startLeaving } from "./leaving.js";
import { startLock } from "./lock.js";
import { startMacros } from "./macros.js";
import { startNotes } from "./notes.js";
import { startPreview } from "./preview.js";
import { startSaving } from "./saving.js";
import { startScrolling } from "./scrolling.js";
import { choose, nameIcons, startTabs } from "./tabs.js";
import { goToMistake, makeText, markMistakes } from "./text.js";
import { startToolbar, toolKeys } from "./toolbar.js";

const find = (id) => document.getElementById(id);

async function start() {
  const desk = readDesk(find("sheet"));
  const notes = startNotes(find("notes"));
  const { text, failure } = await load(desk);
  if (failure) return notes.say("load", failure.message, { look: "bad" });
  const known = startKnowledge(desk);
  const hearing = []; // what hears of changes
  let macros = null; // until the portal has told which there are
  const view = makeText(find("text"), text, [
    Prec.high(
      keymap.of([
        { key: "Mod-s", run: () => Boolean(saving.save()), preventDefault: true },
        { key: "Mod-Shift-m", run: () => macros?.edit(), preventDefault: true },
      ]),
    ),
    toolKeys,
    completion(known),
    fileEvents(desk),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) for (const hear of hearing) hear();
      if (!update.docChanged && !update.selectionSet) return;
      showPlace(update.view);
      macros?.moved();
    }),
  ]);
  const tell = (mistakes) => showMistakes(view, mistakes);
  const drafts = startDrafts(desk, view, notes, find("kept"));
  const saving = startSaving(desk, view, find("save"), (error) => refused(error, notes, tell), () => saved(notes, drafts));
  const preview = startPreview(desk, view, find("preview"), tell);
  hearing.push(preview.changed, drafts.changed);
  startLock(desk, notes, find("lock"));
  startScrolling(view, find("preview"));
  startToolbar(desk, view, find("tools"));
  startTabs(find("editor"));
  nameIcons();
  startMacros(view, known, find("macros"), (pane) => choose(find("editor"), pane)).then((started) => (macros = started));
  startLeaving(desk, drafts, find("close"));
  find("problems").addEventListener("click", () => goToMistake(view));
  saveAnywhere(saving);
  showPlace(view);
  view.focus();
  find("sheet").dataset.ready = "true";
  return undefined;
}

function saved(notes, drafts) {
  for (const name of ["save", "changed"]) notes.clear(name);
  drafts.saved();
}

function refused(error, notes, tell) {
  notes.say("save", error.message, { look: "bad" });
  if (error.detail?.line) tell([{ line: error.detail.line, message: error.message }]);
}

/** Ctrl S saves wherever the focus is. */
function saveAnywhere(saving) {
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "s" || event.defaultPrevented) return;
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) saving.save();
  });
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
