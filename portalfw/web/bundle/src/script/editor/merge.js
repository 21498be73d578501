// Two people changed the same lines: theirs beside mine, and how it was before both. What is not taken is not lost: theirs is
// in the history, mine stays in the editor until the merged text is saved.
import { MergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { element, icon } from "../page.js";
import { replaceText } from "./desk.js";
import { shown } from "./text.js";

const MARKED = /^<{7}[^\n]*\n([\s\S]*?)^={7}[^\n]*\n([\s\S]*?)^>{7}[^\n]*\n?/gm;

/**
 * @param {{base: string|null, mine: string, theirs: string|null, merge: string}} detail what the refused save answered
 * @returns {Promise<string|null>} the text to save; null to go on editing
 */
export function resolve(desk, detail) {
  return new Promise((done) => {
    const places = (detail.merge.match(/^<{7}/gm) ?? []).length;
    const body = element("div", { className: "merge-body" });
    const dialog = frameOf(desk, detail, places, body);
    document.body.append(dialog);
    dialog.showModal();
    const view = new MergeView({
      parent: body,
      a: { doc: detail.theirs ?? "", extensions: [...shown, EditorState.readOnly.of(true)] },
      b: { doc: detail.merge.replace(MARKED, "$1"), extensions: shown },
      revertControls: "a-to-b",
      renderRevertControl: takeButton,
      collapseUnchanged: { margin: 3, minSize: 6 },
    });
    view.b.contentDOM.setAttribute("aria-label", "Your text");
    view.a.contentDOM.setAttribute("aria-label", "The other text");
    let answer = null;
    dialog.addEventListener("click", (event) => {
      const act = event.target.closest("[data-do]")?.dataset.do;
      if (act === "theirs" || act === "before") look(dialog, view, act, detail);
      if (act === "save") answer = view.b.state.doc.toString();
      if (act === "save" || act === "back") dialog.close();
    });
    dialog.addEventListener("close", () => {
      view.destroy();
      dialog.remove();
      done(answer);
    });
    view.b.focus();
  });
}

function takeButton() {
  const button = element("button", { type: "button", className: "btn btn-default btn-sm btn-icon", title: "Take this into your text" }, icon("arrow-right"));
  button.setAttribute("aria-label", "Take this into your text");
  return button;
}

/** The left pane shows what they saved, or how it was before either changed it. */
function look(dialog, view, which, detail) {
  replaceText(view.a, (which === "before" ? detail.base : detail.theirs) ?? "");
  for (const button of dialog.querySelectorAll("[aria-pressed]")) button.setAttribute("aria-pressed", String(button.dataset.do === which));
}

function frameOf(desk, detail, places, body) {
  const gone = detail.theirs === null;
  const title = gone ? `${desk.page} was deleted meanwhile` : `${desk.page} was saved by somebody else meanwhile`;
  const text = gone
    ? "Save your text to make the page anew, or go back to it."
    : `${places === 1 ? "One place was" : `${places} places were`} changed by both. All other changes are merged. Arrows take theirs; your text can be edited.`;
  const left = element("span", { className: "row-flex gap-0" }, choice("theirs", "Theirs", true), ...(detail.base === null ? [] : [choice("before", "Before both", false)]));
  const made = element(
    "dialog",
    { className: "dialog merge" },
    element("div", { className: "dialog-head" }, element("h2", {}, title), element("p", {}, text)),
    element("div", { className: "merge-heads" }, left, element("b", {}, "Your text, to be saved")),
    body,
    element("div", { className: "dialog-foot" }, act("back", "Back to my text", "btn-quiet"), act("save", gone ? "Make the page anew" : "Save merged text", "btn-primary")),
  );
  made.setAttribute("aria-label", title);
  return made;
}

function choice(name, label, pressed) {
  const button = act(name, label, "btn-quiet btn-sm");
  button.setAttribute("aria-pressed", String(pressed));
  return button;
}

function act(name, label, look) {
  const button = element("button", { type: "button", className: `btn ${look}` }, label);
  button.dataset.do = name;
  return button;
}
