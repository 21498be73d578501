// The pages that somebody has visited last, kept in this browser until he signs out.
const KEPT = "portal-recent";
const MOST = 12;
const SHOWN = 6;

/** Keep this page as the last one visited; error pages are no place to come back to. */
export function remember() {
  document.querySelector('form[action="/logout"]')?.addEventListener("submit", () => localStorage.removeItem(KEPT));
  const title = document.querySelector(".page-head h1, .page h1")?.textContent.trim();
  if (!document.querySelector("article.page") || !title) return;
  const href = location.pathname + location.search;
  const glyph = document.querySelector(".side-link.active .bi")?.className.match(/bi-([\w-]+)/)?.[1];
  const page = { href, title, icon: glyph ?? "clock-history", note: document.querySelector(".side .portal .clip")?.textContent ?? "" };
  localStorage.setItem(KEPT, JSON.stringify({ viewer: viewer(), pages: [page, ...pages().filter((one) => one.href !== href)].slice(0, MOST) }));
}

/** The pages visited before this one, the last first. */
export function recent() {
  const here = location.pathname + location.search;
  const others = pages().filter((page) => page.href !== here).slice(0, SHOWN);
  return others.map((page) => ({ key: page.href, parts: [page.title], icon: page.icon, href: page.href, note: page.note }));
}

/** Somebody else's pages are nobody's business. */
function pages() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    return kept?.viewer === viewer() ? kept.pages : [];
  } catch {
    return [];
  }
}

function viewer() {
  return document.querySelector(".side-foot .who")?.textContent.trim() ?? "";
}
