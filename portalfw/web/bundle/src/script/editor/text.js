// The pane in which the text is written.
import { closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { forEachDiagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { crosshairCursor, drawSelection, dropCursor, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { language } from "./language.js";
import { theme } from "./theme.js";

const basics = [
  lineNumbers(),
  highlightActiveLineGutter(),
  history(),
  drawSelection(),
  dropCursor(),
  crosshairCursor(),
  EditorState.allowMultipleSelections.of(true),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  highlightActiveLine(),
  highlightSelectionMatches(),
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({ "aria-label": "Text of the page", spellcheck: "true", autocapitalize: "sentences" }),
  lintGutter(),
  EditorView.domEventHandlers({ beforeinput: typeOver }),
  keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, indentWithTab]),
];

/**
 * Typing over a selection: left to itself the browser would carry styles of what goes into an attribute of what comes, which
 * the content security policy forbids.
 */
function typeOver(event, view) {
  const { from, to, empty } = view.state.selection.main;
  if (event.inputType !== "insertText" || event.isComposing || !event.data || empty) return false;
  event.preventDefault();
  const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  const handlers = view.state.facet(EditorView.inputHandler);
  if (!handlers.some((handle) => handle(view, from, to, event.data, insert))) view.dispatch(insert());
  return true;
}

/** What every view of a page's text looks like, also when it is compared. */
export const shown = [lineNumbers(), EditorView.lineWrapping, language, theme];

/** @returns {EditorView} the editor of `text` within `parent` */
export function makeText(parent, text, extensions) {
  return new EditorView({ parent, doc: text, extensions: [...extensions, ...basics, language, theme] });
}

/** Mark mistakes at their lines: `[{line, message}]`. */
export function markMistakes(view, mistakes) {
  const { doc } = view.state;
  const found = mistakes.map(({ line, message, part }) => {
    const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const inside = part ? at.text.indexOf(part) : -1;
    const from = inside < 0 ? at.from + at.text.search(/\S|$/) : at.from + inside;
    return { from, to: inside < 0 ? at.to : from + part.length, severity: "error", message };
  });
  view.dispatch(setDiagnostics(view.state, found.sort((one, other) => one.from - other.from)));
}

/** Bring the first mistake into view. */
export function goToMistake(view) {
  let first = null;
  forEachDiagnostic(view.state, (_, from) => (first ??= from));
  if (first === null) return;
  view.dispatch({ selection: { anchor: first }, effects: EditorView.scrollIntoView(first, { y: "center" }) });
  view.focus();
}
