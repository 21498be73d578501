const SHOWN = 1500; // ms that the check mark stays

export function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    if (!(await copy(button.dataset.copy))) return;
    const glyph = button.querySelector(".bi");
    button.classList.add("done");
    glyph?.classList.replace("bi-copy", "bi-check-lg");
    setTimeout(() => {
      button.classList.remove("done");
      glyph?.classList.replace("bi-check-lg", "bi-copy");
    }, SHOWN);
  });
}

/** Browsers offer the clipboard to https and loopback only; elsewhere the old command still works. */
async function copy(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(() => true, () => false);
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}
