// What is typed is kept by the server a moment later, for 30 days or until it is saved: no crash and no closed tab loses it.
import { element } from "../page.js";
import { relative } from "../times.js";
import { ask, replaceText, tellLast } from "./desk.js";

const PAUSE = 800; // ms without typing
const MOST = 4000; // ms of typing without a pause
const AT_ONCE = 60_000; // characters that a browser still sends while it leaves the page

/**
 * @param {HTMLElement} line where to say when the draft was kept
 * @returns what hears of changes and saves, and knows whether there is anything to lose
 */
export function startDrafts(desk, view, notes, line) {
  let timer = 0;
  let since = 0; // when the oldest change that is not kept was typed
  let kept = null; // the text that the server has as a draft
  let leaving = false;

  const text = () => view.state.doc.toString();
  const unsaved = () => text() !== desk.saved && text() !== `${desk.saved}\n`;

  async function keep() {
    const now = text();
    clearTimeout(timer);
    since = 0;
    if (leaving || now === kept || !unsaved()) return;
    const { result, failure } = await ask(desk, "saveDraft", { text: now, base: desk.base });
    if (failure) return line.replaceChildren(`Draft not kept: ${failure.message}`);
    kept = now;
    say("Draft saved", result);
  }

  function say(words, at) {
    const time = element("time", {}, relative(Date.now() / 1000 - at, at, false));
    Object.assign(time.dataset, { relative: "", at: String(at) });
    line.replaceChildren(`${words}\u00a0`, time);
  }

  function changed() {
    since ||= Date.now();
    clearTimeout(timer);
    timer = setTimeout(keep, Math.max(0, Math.min(PAUSE, since + MOST - Date.now())));
  }

  function saved() {
    clearTimeout(timer);
    kept = null;
    notes.clear("draft");
    say("Saved", Date.now() / 1000);
  }

  function forget() {
    leaving = true;
    return ask(desk, "discardDraft");
  }

  addEventListener("pagehide", () => {
    const now = text();
    if (!leaving && unsaved() && now !== kept && now.length < AT_ONCE) tellLast(desk, "saveDraft", { text: now, base: desk.base });
  });
  addEventListener("beforeunload", (event) => {
    if (!leaving && unsaved()) event.preventDefault();
  });

  offer(desk, view, notes);
  return { changed, saved, unsaved, keep, forget, leave: () => (leaving = true) };
}

/** Show the draft of last time at once: it is the writer's latest text. The saved one is a click, or an undo, away. */
async function offer(desk, view, notes) {
  const before = { text: desk.saved, base: desk.base };
  const untouched = view.state.doc.toString();
  const { result: draft } = await ask(desk, "draft");
  if (!draft || draft.text === before.text || view.state.doc.toString() !== untouched) return;
  replaceText(view, draft.text);
  if (draft.base) desk.base = draft.base;
  const age = relative(Date.now() / 1000 - draft.date, draft.date, false);
  const stale = draft.base && draft.base !== before.base ? " The page was saved since; saving merges both." : "";
  notes.say("draft", `This is your draft from ${age}, not saved yet.${stale}`, { acts: [{ label: "Take the saved page instead", run: back }] });

  async function back() {
    desk.base = before.base;
    replaceText(view, before.text || untouched);
    notes.clear("draft");
    await ask(desk, "discardDraft");
    view.focus();
  }
}
