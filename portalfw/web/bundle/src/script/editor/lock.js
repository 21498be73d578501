// Who else edits the page. It hinders nobody: both may save, and their texts are merged.
import { ask, tellLast } from "./desk.js";

const RENEWED = 30_000; // ms; the lock ends after 90 s
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** @param {HTMLElement} topic an element that hears when the lock or the page changes */
export function startLock(desk, notes, topic) {
  let mine = false;

  async function renew(more = {}) {
    const { result } = await ask(desk, "lock", more);
    if (result) show(result);
  }

  /** News of the lock or of the page. Reading them changes neither, so that news never cause news. */
  async function look() {
    if (desk.fresh) return;
    const { result } = await ask(desk, "get");
    if (!result) return;
    if (result.lock) show(result.lock);
    else notes.clear("lock");
    const same = result.revision === desk.base || result.text === desk.saved;
    if (same) notes.clear("changed");
    else notes.say("changed", "The page was saved meanwhile. Your save merges both.");
  }

  function show(lock) {
    mine = lock.mine;
    if (mine) return notes.clear("lock");
    const since = clock.format(lock.since * 1000);
    const what = lock.brokenBy ? `${lock.brokenBy} took over at ${since}.` : `${lock.user} is editing this page since ${since}.`;
    const acts = [{ label: "Take over", run: () => renew({ force: true }) }];
    return notes.say("lock", `${what} You can write, too: what you save is merged.`, { look: "warn", acts });
  }

  renew();
  setInterval(() => !document.hidden && renew(), RENEWED);
  topic.addEventListener("portal:refresh", look);
  addEventListener("pagehide", () => mine && tellLast(desk, "unlock"));
}
