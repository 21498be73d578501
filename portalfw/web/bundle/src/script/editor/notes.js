// Lines over the editor that say what is to be known before one goes on: a draft, somebody else at work, a refusal.
import { element, icon } from "../page.js";

const GLYPHS = { bad: "x-circle-fill", warn: "exclamation-triangle-fill", busy: "info-circle-fill" };

/** @returns notes by name: `say(name, text, {look, acts: [{label, run}]})` and `clear(name)` */
export function startNotes(place) {
  const lines = new Map();

  function clear(name) {
    lines.get(name)?.remove();
    lines.delete(name);
  }

  function say(name, text, { look = "busy", acts = [] } = {}) {
    clear(name);
    const line = element("div", { className: `editor-note s-${look}` }, icon(GLYPHS[look]), element("span", { className: "grow" }, text));
    line.dataset.note = name;
    for (const act of acts) {
      const button = element("button", { type: "button", className: "btn btn-default btn-sm" }, act.label);
      button.addEventListener("click", act.run);
      line.append(button);
    }
    lines.set(name, line);
    place.append(line);
  }

  return { say, clear };
}
