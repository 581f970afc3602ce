// The trace list: empty filters stay out of the address, keys move through the rows, the chart is brushed to zoom.
"use strict";

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt.id !== "filters") return;
  for (const [name, value] of [...event.detail.formData.entries()]) {
    if (value === "") event.detail.formData.delete(name);
  }
});

// Enter in a field is a change and then a submit: the second asks for what the first is being answered.
let asking = null;

document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.elt.id !== "filters") return;
  const filters = String(new URLSearchParams(new FormData(event.detail.elt)));
  if (filters === asking) event.preventDefault();
  asking = filters;
});
document.addEventListener("htmx:afterRequest", () => {
  asking = null;
});

// Keys ---------------------------------------------------------------------

function typing(target) {
  return target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]");
}

function rowLinks() {
  return [...document.querySelectorAll("[data-row]")];
}

function move(by) {
  const rows = rowLinks();
  const here = rows.findIndex((row) => row.closest("tr").contains(document.activeElement));
  const next = rows[Math.min(Math.max(here + by, 0), rows.length - 1)];
  if (next) next.focus();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  x: () => document.activeElement.closest("tr")?.querySelector(".tick").click(),
  l: () => document.getElementById("live-switch")?.click(),
  n: () => document.querySelector("a.newer")?.click(),
  "/": () => document.getElementById("filter-q").focus(),
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (target.id !== "filter-q" || !(key === "ArrowDown" || (key === "Escape" && !target.value))) return;
  event.preventDefault();
  move(1);
});

document.addEventListener("keydown", (event) => {
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  const inRows = document.activeElement.matches("[data-row]");
  const key = inRows ? { ArrowDown: "j", ArrowUp: "k" }[event.key] || event.key : event.key;
  if (!(key in KEYS) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  KEYS[key]();
});

// Back from a trace, the keys go on from its row.
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row]");
  if (row) sessionStorage.setItem("row", row.href);
});
window.addEventListener("pageshow", () => {
  const [came] = performance.getEntriesByType("navigation");
  if (came?.type !== "back_forward") return;
  rowLinks().find((row) => row.href === sessionStorage.getItem("row"))?.focus({ preventScroll: true });
});

// What was chosen may be gone with what it changed: then the keys go on from what is said of the results. Where it is
// still there, by its id, htmx has it focused.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "list" || document.activeElement !== document.body || brush.refocus) return;
  document.querySelector("#results .sentence, #results-line, #results .state h1")?.focus();
});

// Live mode: asks only while somebody may be looking; the page's title tells how many are waiting --------

const title = document.title;
let lastNewer = "";

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === "live" && document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  const live = document.getElementById("live");
  if (live && !document.hidden) htmx.trigger(live, "wake");
});
document.addEventListener("htmx:beforeSwap", (event) => {
  // What is said already is not said again to those who hear the page.
  const { target, serverResponse } = event.detail;
  if (target.id === "newer" && target.innerHTML !== "" && lastNewer === serverResponse) event.detail.shouldSwap = false;
  if (target.id === "newer") lastNewer = serverResponse;
});
document.addEventListener("htmx:afterSwap", () => {
  const waiting = document.querySelector("a.newer");
  document.title = waiting ? `(${parseInt(waiting.textContent.replace(/\D*/, ""), 10)}) ${title}` : title;
});

// The chart: drag over it, or arrows, Shift with arrows and Enter --------------

const brush = { anchor: null, cursor: null, drags: false, refocus: false };

function plot() {
  return document.getElementById("plot");
}

function bars() {
  return [...document.querySelectorAll("#plot a")];
}

function barAt(event) {
  const box = plot().querySelector("svg").getBoundingClientRect();
  const count = bars().length;
  return Math.min(Math.max(Math.floor((event.clientX - box.left) / box.width * count), 0), count - 1);
}

function chosen() {
  return [Math.min(brush.anchor, brush.cursor), Math.max(brush.anchor, brush.cursor)];
}

function words(first, last) {
  const all = bars();
  if (first === last) return all[first].dataset.words;
  const traces = all.slice(first, last + 1).reduce((sum, bar) => sum + Number(bar.dataset.traces), 0);
  return `${all[first].dataset.begins} to ${all[last].dataset.ends}: ${traces.toLocaleString("en")} traces`;
}

function drawBrush() {
  const [first, last] = chosen();
  const share = 100 / bars().length;
  const mark = document.getElementById("brushed");
  mark.setAttribute("x", `${first * share}%`);
  mark.setAttribute("width", `${(last - first + 1) * share}%`);
  const text = words(first, last);
  document.getElementById("readout").textContent = text;
  plot().setAttribute("aria-valuenow", String(brush.cursor));
  plot().setAttribute("aria-valuetext", text);
}

function clearBrush() {
  brush.anchor = brush.cursor = null;
  brush.drags = false;
  document.getElementById("brushed")?.setAttribute("width", "0");
  const readout = document.getElementById("readout");
  if (readout) readout.textContent = "";
}

function zoom(first, last) {
  const all = bars();
  const address = new URL(all[first].dataset.address, location.href);
  address.searchParams.set("to", all[last].dataset.to);
  clearBrush();
  htmx.ajax("GET", address.pathname + address.search, { target: "#list", swap: "innerHTML" });
}

// The drawing becomes one thing to reach by Tab, as a slider of moments, in place of a link for each bar.
function prepareChart() {
  clearBrush();
  const slider = plot();
  if (!slider || slider.hasAttribute("role")) return;
  for (const bar of bars()) {
    const title = bar.querySelector("title");
    bar.dataset.words = title.textContent;
    title.remove(); // said beside the chart at once, not after a second over it
    bar.dataset.address = bar.getAttribute("href");
    bar.removeAttribute("href");
    bar.removeAttribute("tabindex");
  }
  slider.querySelector("svg").setAttribute("role", "img");
  const settings = {
    tabindex: 0, role: "slider", "aria-valuemin": 0, "aria-valuemax": bars().length - 1, "aria-valuenow": 0,
    "aria-valuetext": bars()[0].dataset.words,
    "aria-label": "Traces over time. Arrows move, Shift with arrows selects, Enter zooms in",
  };
  for (const [name, value] of Object.entries(settings)) slider.setAttribute(name, String(value));
  if (brush.refocus) slider.focus();
  brush.refocus = false;
}

document.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || !event.target.closest(".plot-drawing")) return;
  event.preventDefault(); // else text is selected
  brush.anchor = brush.cursor = barAt(event);
  brush.drags = true;
  drawBrush();
});

document.addEventListener("pointermove", (event) => {
  if (brush.drags) {
    brush.cursor = barAt(event);
    drawBrush();
  } else if (event.target.closest(".plot-drawing")) {
    document.getElementById("readout").textContent = words(barAt(event), barAt(event));
  }
});

document.addEventListener("pointerup", () => {
  if (brush.drags) zoom(...chosen());
});

document.addEventListener("pointercancel", clearBrush);

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "plot" || event.ctrlKey || event.metaKey || event.altKey) return;
  const end = bars().length - 1;
  const here = brush.cursor ?? -1;
  const next = {
    ArrowRight: here + 1, ArrowLeft: here < 0 ? end : here - 1, PageDown: here + 10, PageUp: here - 10, Home: 0, End: end,
  }[event.key];
  if (next !== undefined) {
    brush.cursor = Math.min(Math.max(next, 0), end);
    if (!event.shiftKey || brush.anchor === null) brush.anchor = brush.cursor;
    drawBrush();
  } else if (event.key === "Enter" && brush.cursor !== null) {
    brush.refocus = true;
    zoom(...chosen());
  } else if (event.key === "Escape") {
    clearBrush();
  } else {
    return;
  }
  event.preventDefault();
});

document.addEventListener("DOMContentLoaded", prepareChart);
document.addEventListener("htmx:afterSettle", prepareChart);
