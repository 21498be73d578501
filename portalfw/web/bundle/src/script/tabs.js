// Parts of a page as tabs: the server sends them one below the other, each under its title. The address keeps the one that
// was chosen (#tab-title), so that it can be sent to others.
import { element, onContent } from "./page.js";

let count = 0;

export function startTabs() {
  onContent((root) => root.querySelectorAll("[data-tabs]:not([data-ready])").forEach(prepare));
}

function prepare(box) {
  box.dataset.ready = "";
  const parts = [...box.children].filter((part) => part.matches("[data-tab]"));
  if (!parts.length) return;
  const list = element("div", { className: "nav nav-tabs" });
  list.setAttribute("role", "tablist");
  const tabs = parts.map((part) => tabOf(part));
  list.append(...tabs);
  box.prepend(list);
  const choose = (index, focus) => {
    tabs.forEach((tab, other) => {
      const on = other === index;
      tab.classList.toggle("active", on);
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      parts[other].hidden = !on;
    });
    if (focus) tabs[index].focus();
  };
  tabs.forEach((tab, index) => tab.addEventListener("click", () => {
    choose(index);
    history.replaceState(history.state, "", `#${slug(tab.textContent)}`);
  }));
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    choose((to + tabs.length) % tabs.length, true);
  });
  choose(Math.max(0, tabs.findIndex((tab) => `#${slug(tab.textContent)}` === decodeURIComponent(location.hash))));
}

function tabOf(part) {
  const tab = element("button", { type: "button", className: "nav-link", textContent: part.dataset.tab, id: `tab-of-${++count}` });
  tab.setAttribute("role", "tab");
  part.id ||= `tab-part-${count}`;
  tab.setAttribute("aria-controls", part.id);
  part.setAttribute("role", "tabpanel");
  part.setAttribute("aria-labelledby", tab.id);
  part.querySelector(".tab-title").hidden = true;
  return tab;
}

function slug(words) {
  return `tab-${words.trim().toLowerCase().replace(/\s+/g, "-")}`;
}
