// Two traces side by side: the chosen row, and keys to move through the steps.
"use strict";

const aligned = document.getElementById("aligned");
const rows = [...aligned.querySelectorAll("[data-row]")];

function choose(link) {
  const before = aligned.querySelector("[aria-current][data-row]");
  if (before) {
    before.removeAttribute("aria-current");
    before.closest("tr").classList.remove("chosen");
  }
  link.setAttribute("aria-current", "true");
  link.closest("tr").classList.add("chosen");
}

function position() {
  const focused = rows.indexOf(document.activeElement);
  return focused >= 0 ? focused : rows.findIndex((row) => row.hasAttribute("aria-current"));
}

function move(by) {
  const next = rows[Math.min(Math.max(position() + by, 0), rows.length - 1)];
  if (next) next.focus();
}

function openNextDifference() {
  const start = position() + 1;
  const found = [...rows.slice(start), ...rows.slice(0, start)].find((row) => "differs" in row.dataset);
  if (found) {
    found.focus();
    found.click();
  }
}

aligned.addEventListener("click", (event) => {
  const link = event.target.closest("[data-row]");
  if (link) choose(link);
});

// The sentence above leads to rows of the table.
document.addEventListener("click", (event) => {
  const lead = event.target.closest("[data-lead]");
  const row = lead && rows.find((one) => one.getAttribute("href") === lead.getAttribute("href"));
  if (!row) return;
  event.preventDefault();
  row.focus();
  row.click();
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "pair") return;
  event.detail.target.scrollTop = 0;
  // Stacked on a narrow screen, the step would change out of sight.
  if (matchMedia("(max-width: 1000px)").matches) event.detail.target.scrollIntoView();
});

const KEYS = { j: () => move(1), k: () => move(-1), d: openNextDifference };

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const inTable = rows.includes(document.activeElement);
  const key = inTable ? { ArrowDown: "j", ArrowUp: "k" }[event.key] || event.key : event.key;
  if (!(key in KEYS)) return;
  event.preventDefault();
  KEYS[key]();
});
