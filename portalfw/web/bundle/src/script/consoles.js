// Consoles: the module console.js, with the client for screens, is loaded by pages that show one, and by no other.
import { onContent } from "./page.js";

const MODULE = document.currentScript?.dataset.consoleModule;

export function startConsoles() {
  onContent((root) => root.querySelectorAll("[data-console]:not([data-shown])").forEach(async (box) => {
    box.dataset.shown = "";
    const { show } = await import(MODULE);
    if (box.isConnected) show(box);
  }));
}
