// The theme button goes round: as the system, light, dark. The server reads the cookie for the next page.
const LOOKS = {
  auto: { icon: "circle-half", label: "Theme: as the system" },
  light: { icon: "sun", label: "Theme: light" },
  dark: { icon: "moon", label: "Theme: dark" },
};
const YEAR = 365 * 86400;

export function startTheme() {
  show();
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const choices = Object.keys(LOOKS);
    const next = choices[(choices.indexOf(current()) + 1) % choices.length];
    document.documentElement.dataset.theme = next;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${next}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
    show();
  });
}

function current() {
  const choice = document.documentElement.dataset.theme;
  return choice in LOOKS ? choice : "auto";
}

function show() {
  const look = LOOKS[current()];
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.querySelector(".bi").className = `bi bi-${look.icon}`;
    button.title = look.label;
    button.setAttribute("aria-label", look.label);
  }
}
