// What can be done from the palette: the buttons of the page, what the viewer may make from anywhere, and his own things.
const AFTERWARDS = "portal-press"; // the method whose button the next page presses
const DEEDS = "/restmachine/system/search/actions";
const BUTTONS = ".sheet :is(button[data-action], a.btn[href])";
const NOT_THESE = "table, [popover], dialog, .table-foot, .pager, [data-table] [hidden]";

/** The page's own buttons, those in rows of tables left out. */
export function pageActions() {
  const seen = new Set();
  return [...document.querySelectorAll(BUTTONS)].filter(usable).map(ofButton).filter(({ label }) => label && !seen.has(label) && seen.add(label));
}

function usable(button) {
  return !button.disabled && !button.closest(NOT_THESE) && button.checkVisibility();
}

function ofButton(button) {
  const label = (button.querySelector(":scope > span")?.textContent || button.getAttribute("aria-label") || button.textContent).trim();
  const glyph = button.querySelector(".bi")?.className.match(/bi-([\w-]+)/)?.[1];
  const keys = button.dataset.shortcut?.toUpperCase();
  return { label, icon: glyph ?? "play", href: button.href, act: button.href ? undefined : () => button.click(), keys };
}

/** What the viewer may make from anywhere. It is made on a page that has the button for it. */
export async function deedsOf() {
  try {
    const response = await fetch(DEEDS, { headers: { Accept: "application/json" } });
    return response.ok ? (await response.json()).map((deed) => ({ label: deed.label, icon: "plus-lg", act: () => press(deed) })) : [];
  } catch {
    return []; // the rest of the palette works without
  }
}

function press(deed) {
  if (pressNow(deed.method)) return;
  sessionStorage.setItem(AFTERWARDS, deed.method);
  location.assign(deed.href);
}

/** Press the button that the last page meant. The wish is kept where no other site can leave one. */
export function pressAfterwards() {
  const method = sessionStorage.getItem(AFTERWARDS);
  sessionStorage.removeItem(AFTERWARDS);
  if (method) pressNow(method);
}

/** Only buttons that ask before they act are pressed for somebody. @returns {boolean} whether there is one */
function pressNow(method) {
  const button = [...document.querySelectorAll(`.page-head button[data-action="${CSS.escape(method)}"][data-asks]`)].find(usable);
  button?.click();
  return Boolean(button);
}

/** Theme, signing out, signing in. */
export function viewerActions() {
  const theme = document.querySelector("[data-theme-toggle]");
  const leave = document.querySelector('form[action="/logout"]');
  const enter = document.querySelector('.side-foot a[href^="/login"]');
  return [
    theme && { label: "Change theme", icon: "circle-half", act: () => theme.click(), note: theme.title.replace(/^Theme: /, "now ") },
    leave && { label: "Sign out", icon: "box-arrow-right", act: () => leave.requestSubmit() },
    enter && { label: "Sign in", icon: "box-arrow-in-right", href: enter.href },
  ].filter(Boolean);
}
