// The trace page: the chosen row, and keys to move through the tree.
"use strict";

const tree = document.getElementById("tree");
const rows = [...tree.querySelectorAll("[data-row]")];

function choose(link) {
  const before = tree.querySelector("[aria-current]");
  if (before) {
    before.removeAttribute("aria-current");
    before.closest(".trow").classList.remove("chosen");
  }
  link.setAttribute("aria-current", "true");
  link.closest(".trow").classList.add("chosen");
}

function position() {
  const focused = rows.indexOf(document.activeElement);
  return focused >= 0 ? focused : rows.findIndex((row) => row.hasAttribute("aria-current"));
}

function move(by) {
  const next = rows[Math.min(Math.max(position() + by, 0), rows.length - 1)];
  if (next) next.focus();
}

function openNextError() {
  const start = position() + 1;
  const failed = [...rows.slice(start), ...rows.slice(0, start)].find((row) => "failed" in row.dataset);
  if (failed) {
    failed.focus();
    failed.click();
  }
}

tree.addEventListener("click", (event) => {
  const link = event.target.closest("[data-row]");
  if (link) choose(link);
});

// A step may lead to another one: its row becomes the chosen one.
document.getElementById("step").addEventListener("click", (event) => {
  const link = event.target.closest("[data-step]");
  const row = link && rows.find((one) => one.getAttribute("href") === link.getAttribute("href"));
  if (row) choose(row);
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "step") return;
  event.detail.target.scrollTop = 0;
  // Stacked on a narrow screen, the step would change out of sight.
  if (matchMedia("(max-width: 1000px)").matches) event.detail.target.scrollIntoView();
});

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  e: openNextError,
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const inTree = rows.includes(document.activeElement);
  const key = inTree ? { ArrowDown: "j", ArrowUp: "k" }[event.key] || event.key : event.key;
  if (!(key in KEYS) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  KEYS[key]();
});
