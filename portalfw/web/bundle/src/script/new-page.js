// "New page" asks for a name, and as what the page begins, then leads to the editor.
import { call } from "./calls.js";
import { element } from "./page.js";

export function startNewPage() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-new-page]");
    if (!button) return;
    button.closest("[popover]")?.hidePopover();
    show(button.querySelector("template").content.firstElementChild.cloneNode(true));
  });
}

function show(dialog) {
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("[name=page]").focus();
  offerTemplates(dialog.querySelector("[data-templates]"));
}

async function offerTemplates(field) {
  const { result } = await call("system/pages/templates", { space: field.dataset.templates });
  if (!result?.length) return;
  field.querySelector("select").append(...result.map((name) => element("option", { value: name }, name)));
  field.hidden = false;
}
