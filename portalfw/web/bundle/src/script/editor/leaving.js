// Closing the editor: with text that is not saved it asks what shall become of it.
import { element } from "../page.js";

/** @param {ReturnType<typeof import("./drafts.js").startDrafts>} drafts */
export function startLeaving(desk, drafts, button) {
  button.addEventListener("click", async () => {
    const choice = drafts.unsaved() ? await question() : "leave";
    if (choice === "stay") return;
    if (choice === "forget") await drafts.forget();
    if (choice === "keep") await drafts.keep();
    drafts.leave();
    location.assign(desk.fresh ? `/${desk.space}` : desk.address);
  });
}

function question() {
  const choices = [
    ["stay", "Keep writing", "btn-quiet"],
    ["forget", "Throw my text away", "btn-danger-quiet"],
    ["keep", "Leave, keep the draft", "btn-primary"],
  ];
  const foot = element("div", { className: "dialog-foot" });
  const head = element("div", { className: "dialog-head" }, element("h2", {}, "Leave without saving?"), element("p", {}, "A draft is kept for 30 days and shown when you edit the page again."));
  const dialog = element("dialog", { className: "dialog" }, head, foot);
  dialog.setAttribute("aria-label", "Leave without saving?");
  document.body.append(dialog);
  return new Promise((done) => {
    for (const [name, label, look] of choices) {
      const button = element("button", { type: "button", className: `btn ${look}` }, label);
      button.addEventListener("click", () => dialog.close(name));
      foot.append(button);
    }
    dialog.addEventListener("close", () => {
      dialog.remove();
      done(dialog.returnValue || "stay");
    });
    dialog.showModal();
    foot.lastChild.focus();
  });
}
