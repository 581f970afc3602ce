// The shell: theme, menus that close, copying. Pages work without it.
"use strict";

document.documentElement.classList.add("has-script");

// Where the rail or the tabs are wider than the screen, the place one is at is in view.
for (const here of document.querySelectorAll(".rail [aria-current], .tabs [aria-current]")) {
  const strip = here.parentElement;
  strip.scrollLeft = here.offsetLeft - strip.offsetLeft - (strip.clientWidth - here.offsetWidth) / 2;
}

// The server is told the browser's time zone by a cookie, and draws again what it drew in another one.
function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isTold = () => document.cookie.split("; ").includes(`zone=${zone}`);
  if (!zone || isTold()) return;
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  const drawnIn = document.documentElement.dataset.zone;
  if (drawnIn && drawnIn !== zone && isTold()) location.reload();
}
tellZone();

function chooseTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  }
}

// Says it to screen readers, in a line of its own; the same words twice are said twice.
function announce(words) {
  const line = document.getElementById("announced");
  line.textContent = "";
  setTimeout(() => { line.textContent = words; }, 50);
}

// A part of the page that was asked for says what it is, and not all that it holds. A page that comes back from the
// history has no target.
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (!target?.matches("#step, #pair")) return;
  announce(target.querySelector("[data-said]")?.dataset.said ?? target.querySelector("h1, h2").textContent);
});

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
    announce("Copied");
  } catch {
    // No clipboard outside https and loopback: select it for the person to copy.
    getSelection().selectAllChildren(source);
    button.textContent = "Selected";
    announce("Could not copy: the text is selected");
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-choice]");
  if (choice) chooseTheme(choice.dataset.themeChoice);
  const copier = event.target.closest("[data-copy]");
  if (copier) copy(copier);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// A file is downloaded without a new page: its menu closes all the same.
document.addEventListener("click", (event) => {
  const menu = event.target.closest(".menu-body a")?.closest("details.menu");
  if (!menu) return;
  menu.querySelector("summary").focus();
  menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A click that asks for a new tab is the browser's, not htmx's.
document.addEventListener("click", (event) => {
  const asksForTab = event.ctrlKey || event.metaKey || event.shiftKey;
  if (asksForTab && event.target.closest("a[hx-get]")) event.stopImmediatePropagation();
}, true);
