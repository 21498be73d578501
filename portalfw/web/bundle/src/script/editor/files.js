// Images and files that are pasted, dropped or picked: attached to the page, and linked where the cursor is.
import { EditorView } from "@codemirror/view";
import { attach, nameOf } from "../files/attaching.js";
import { element } from "../page.js";
import { toast } from "../toasts.js";

const TRIES = 20; // names until one is free

/** What listens for files in the text. */
export function fileEvents(desk) {
  const take = (event, view, transfer) => {
    const files = [...(transfer?.files ?? [])];
    if (!files.length) return false;
    event.preventDefault();
    insertFiles(desk, view, files);
    return true;
  };
  return EditorView.domEventHandlers({
    paste: (event, view) => take(event, view, event.clipboardData),
    drop(event, view) {
      const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
      if (event.dataTransfer?.files.length && at !== null) view.dispatch({ selection: { anchor: at } });
      return take(event, view, event.dataTransfer);
    },
  });
}

/** Let the writer pick files. */
export function pickFiles(desk, view) {
  const field = element("input", { type: "file", multiple: true });
  field.addEventListener("change", () => insertFiles(desk, view, [...field.files]));
  field.click();
}

async function insertFiles(desk, view, files) {
  for (const file of files) {
    const mark = `![Attaching ${file.name} …]()`;
    view.dispatch(view.state.replaceSelection(mark), { userEvent: "input.paste" });
    const { result, failure } = await attachAnyhow(desk, file);
    const at = view.state.doc.toString().indexOf(mark);
    if (at >= 0) view.dispatch({ changes: { from: at, to: at + mark.length, insert: result?.markdown ?? "" } });
    if (failure) toast(`${file.name}: ${failure.message}`, { look: "bad", stays: true });
  }
  view.focus();
}

/** A page that is not saved yet cannot have files; its space can. */
async function attachAnyhow(desk, file) {
  const place = desk.fresh ? { space: desk.space } : { space: desk.space, page: desk.page };
  let last = {};
  for (let number = 1; number <= TRIES; number += 1) {
    last = await attach(place, file, { name: nameOf(file, number) });
    if (last.failure?.error !== "conflict") return last;
  }
  return last;
}
