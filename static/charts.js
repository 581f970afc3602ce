// Charts: over the server's drawing comes one that answers to the pointer, once its library is here. Until then, and
// without script, the drawing stays, which has the same size, places and links.
"use strict";

const LIBRARY = document.currentScript.dataset.library;
const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false, responsive: false };
const charts = new Map(); // the drawn element -> its data

// plotly writes no style element, which the page's policy forbids, where one says that its rules are there already:
// they are in tracehouse.css.
const marker = document.createElement("meta");
marker.id = "plotly.js-style-global";
marker.className = "no-inline-styles";
document.head.append(marker);

// Colours -------------------------------------------------------------------

const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
  .getContext("2d", { willReadFrequently: true });

// A token of the stylesheet in the scheme of now, however it is written, as plotly can read it.
function color(token) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = getComputedStyle(probe).color;
  pixel.fillRect(0, 0, 1, 1);
  probe.remove();
  return `rgb(${pixel.getImageData(0, 0, 1, 1).data.slice(0, 3).join(",")})`;
}

// What plotly is told -------------------------------------------------------

// plotly reads tags in text; names are anybody's text.
function asText(line) {
  return line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function traces(data) {
  const places = data.links.map((_, place) => place);
  const bars = data.series.map(({ color: token, heights }) => ({
    type: "bar", x: places, y: heights, marker: { color: color(token), line: { width: 0 } }, hoverinfo: "skip",
  }));
  const tops = places.map((place) => data.series.reduce((sum, { heights }) => sum + heights[place], 0));
  const said = {
    type: "scatter", mode: "markers", x: places, y: tops, marker: { opacity: 0 }, cliponaxis: false,
    text: data.words.map((lines) => lines.map(asText).join("<br>")), hovertemplate: "%{text}<extra></extra>",
  };
  return data.line.length ? [...bars, before(data.line), said] : [...bars, said];
}

// Steps as wide as the bars.
function before(heights) {
  const end = heights.length - 1;
  return {
    type: "scatter", mode: "lines", hoverinfo: "skip", cliponaxis: false,
    x: [-0.5, ...heights.map((_, place) => place), end + 0.5], y: [heights[0], ...heights, heights[end]],
    line: { shape: "hvh", width: 1.5, color: color("muted") },
  };
}

function layout(data) {
  const style = getComputedStyle(document.body);
  // A finger on the chart scrolls the page.
  const drags = data.ranges.length > 0 && !matchMedia("(pointer: coarse)").matches;
  const still = { zeroline: false, showticklabels: false };
  return {
    autosize: true, margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false,
    paper_bgcolor: color("ground"), plot_bgcolor: color("ground"),
    barmode: "stack", bargap: data.gap,
    hovermode: "x", hoverdistance: -1, spikedistance: -1,
    dragmode: drags ? "zoom" : false,
    // An axis leaves out lines at its own ends.
    shapes: data.grid.map((height) => ({
      type: "line", layer: "below", xref: "paper", x0: 0, x1: 1, y0: height, y1: height,
      line: { width: 1, color: color("line"), dash: "2px,3px" },
    })),
    hoverlabel: {
      align: "left", bgcolor: color("surface"), bordercolor: color("line"),
      font: { family: style.fontFamily, size: 12, color: color("text") },
    },
    xaxis: {
      ...still, range: [-0.5, data.links.length - 0.5], showgrid: false, fixedrange: !drags,
      showspikes: Boolean(data.zoom), spikemode: "across", spikethickness: 1, spikedash: "solid", spikecolor: color("faint"),
    },
    yaxis: { ...still, range: [0, 100], fixedrange: true, showgrid: false },
  };
}

// The pointer ---------------------------------------------------------------

function lead(address, event) {
  if (event.ctrlKey || event.metaKey) window.open(address, "_blank", "noopener");
  else location.assign(address);
}

// A bar that is touched is in, whole.
function zoom(data, change) {
  const [start, end] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
  if (start === undefined || end === undefined) return;
  const last = data.ranges.length - 1;
  const [first, until] = [Math.max(Math.floor(start + 0.5), 0), Math.min(Math.ceil(end - 0.5), last)];
  const address = new URL(data.zoom, location.href);
  address.searchParams.set("from", data.ranges[first][0]);
  address.searchParams.set("to", data.ranges[until][1]);
  location.assign(address);
}

// The other charts of the same time axis: where one is looked at, all are.
function besides(live) {
  const group = live.closest("[data-axis]");
  return group ? [...group.querySelectorAll(".chart-live")].filter((one) => one !== live && charts.has(one)) : [];
}

let leads = null;

function follow(live, place) {
  if (leads && leads !== live) return;
  leads = live;
  for (const other of besides(live)) Plotly.Fx.hover(other, { xval: place }, "xy");
  leads = null;
}

function leave(live) {
  if (leads) return;
  leads = live;
  for (const other of besides(live)) Plotly.Fx.unhover(other);
  leads = null;
}

// Drawing -------------------------------------------------------------------

async function draw(frame) {
  if (frame.querySelector(".chart-live")) return;
  const data = JSON.parse(document.getElementById(frame.dataset.chart).textContent);
  const live = document.createElement("div");
  live.className = "chart-live";
  live.setAttribute("role", "img");
  live.setAttribute("aria-label", frame.querySelector("svg").getAttribute("aria-label"));
  frame.append(live);
  await Plotly.newPlot(live, traces(data), layout(data), CONFIG);
  charts.set(live, data);
  live.on("plotly_hover", ({ points }) => follow(live, points[0].x));
  live.on("plotly_unhover", () => leave(live));
  live.on("plotly_click", ({ points, event }) => lead(data.links[points[0].x], event));
  live.on("plotly_relayout", (change) => zoom(data, change));
  keepSize(live);
  frame.classList.add("is-live"); // the server's drawing makes room, and keeps it
}

// Drawn anew only where the width is another: the observer calls at once, and that would take a click away.
function keepSize(live) {
  let width = live.clientWidth;
  new ResizeObserver(() => {
    if (!live.isConnected || !live.clientWidth || live.clientWidth === width) return;
    width = live.clientWidth;
    Plotly.Plots.resize(live);
  }).observe(live);
}

function redraw() {
  for (const [live, data] of charts) {
    if (live.isConnected) Plotly.react(live, traces(data), layout(data), CONFIG);
    else charts.delete(live);
  }
}

// Loading -------------------------------------------------------------------

let script = null;

function load(then) {
  if (window.Plotly) return then();
  if (!script) {
    script = document.createElement("script");
    script.src = LIBRARY;
    document.head.append(script);
  }
  script.addEventListener("load", then, { once: true });
}

const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    inView.unobserve(target);
    load(() => draw(target));
  }
}, { rootMargin: "200px" });

function watch() {
  for (const frame of document.querySelectorAll("[data-chart]:not(.is-live)")) inView.observe(frame);
}

watch();
document.addEventListener("htmx:afterSettle", watch);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
