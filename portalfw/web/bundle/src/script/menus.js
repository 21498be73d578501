// The sidebar on a phone, and menus behind "..." buttons (native popovers, placed under their button).
import { onContent } from "./page.js";

const GAP = 4; // px between button and menu
const EDGE = 8; // px kept free at the window's edge

export function startMenus() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-menu]");
    if (button) openSide(button.dataset.menu === "open");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("menu-open")) openSide(false);
  });
  onContent((root) => {
    for (const button of root.querySelectorAll("[data-menu-button]")) {
      button.popoverTargetElement = button.nextElementSibling;
    }
  });
  document.addEventListener("toggle", place, true);
}

function openSide(open) {
  document.body.classList.toggle("menu-open", open);
  const button = document.querySelector('[data-menu="open"]');
  button?.setAttribute("aria-expanded", String(open));
  document.getElementById("sheet").inert = open;
  if (open) document.querySelector(".side .portal").focus();
  else button?.focus();
}

function place(event) {
  const menu = event.target;
  const button = menu.previousElementSibling;
  if (event.newState !== "open" || !menu.matches(".menu") || !button?.matches("[data-menu-button]")) return;
  const from = button.getBoundingClientRect();
  const below = from.bottom + GAP + menu.offsetHeight + EDGE < innerHeight;
  menu.style.left = `${Math.max(EDGE, from.right - menu.offsetWidth)}px`;
  menu.style.top = `${Math.max(EDGE, below ? from.bottom + GAP : from.top - GAP - menu.offsetHeight)}px`;
}
