// The trace page: steps that open beside the tree, search in the trace, and the keys.
const tree = document.getElementById("tree");
const panel = document.getElementById("step");
const tools = document.getElementById("tree-tools");
const found = document.getElementById(tree.hidden ? "graph-found" : "found");
const calls = [...document.querySelectorAll(".picture a[data-node]")];
const steps = new Steps(JSON.parse(document.getElementById("tree-data").textContent));
const view = new TreeView(
  steps,
  document.getElementById("rows"),
  document.getElementById("tlist"),
  document.getElementById("blank-row").content.firstElementChild,
);
let matched = []; // rows that hold the searched text, in order
let searching; // the search that runs
let typed; // the timer that waits for the end of typing

// The address says what the page shows: of the step the tab that the address names already.
function remember(tab = new URLSearchParams(location.search)) {
  const address = new URL(location.href);
  const state = { span: steps.id[view.chosen], q: tools.q.value.trim(), only: tools.only.value, view: tree.hidden ? "graph" : "" };
  for (const name of ["show", "with", "messages"]) state[name] = tab.get(name);
  address.search = new URLSearchParams(Object.entries(state).filter(([, value]) => value));
  history.replaceState(history.state, "", address);
}

function choose(row) {
  view.chosen = row;
  view.active = row;
  view.draw();
}

function openStep(row) {
  choose(row);
  // Rejected when the next step is asked for before this one came; what fails is told by htmx:sendError.
  htmx.ajax("GET", `?span=${steps.id[row]}`, { source: tree, target: "#step", swap: "innerHTML" }).catch(() => undefined);
  remember(new URLSearchParams());
}

function show(row) {
  if (view.kept && !view.kept[row]) narrow("");
  view.focus(row);
}

function here() {
  return view.active >= 0 ? view.active : view.chosen;
}

function move(by) {
  const index = (view.at.get(here()) ?? -1) + by;
  const row = view.shown[Math.min(Math.max(index, 0), view.shown.length - 1)];
  if (row !== undefined) view.focus(row);
}

// The next of `rows` after where one is, or the one before, and round again at the end.
function following(rows, by) {
  if (!rows.length) return undefined;
  const after = by > 0 ? rows.find((row) => row > here()) : rows.findLast((row) => row < here());
  return after ?? rows.at(by > 0 ? 0 : -1);
}

function openError(by) {
  const failed = [...steps.id.keys()].filter((row) => steps.is(row, Steps.FAILED) && !(view.kept && !view.kept[row]));
  const row = following(failed, by);
  if (row === undefined) return;
  show(row);
  openStep(row);
}

function showMatch(by) {
  const row = following(matched, by);
  if (row === undefined) return;
  show(row);
  found.textContent = `${(matched.indexOf(row) + 1).toLocaleString("en")} of ${matched.length.toLocaleString("en")}`;
}

function expand(row, open) {
  if (open) view.collapsed.delete(row);
  else view.collapsed.add(row);
  view.update();
}

function toRight() {
  const row = here();
  if (view.collapsed.has(row)) expand(row, true);
  else if (steps.end[row] > row + 1) move(1);
}

function toLeft() {
  const row = here();
  if (steps.end[row] > row + 1 && !view.collapsed.has(row)) expand(row, false);
  else if (steps.parent[row] >= 0) view.focus(steps.parent[row]);
}

function expandAll(open) {
  view.collapsed.clear();
  const tops = steps.inside[steps.count];
  for (let row = 0; !open && row < steps.count; row++) {
    // One step at the top is the whole trace: what is right inside it stays to be seen.
    if (steps.end[row] > row + 1 && (tops > 1 || steps.depth[row])) view.collapsed.add(row);
  }
  view.update();
}

function narrow(only) {
  tools.only.value = only;
  const holds = { llm: (row) => steps.text("kind", row) === "llm", tool: (row) => steps.text("kind", row) === "tool", failed: (row) => steps.is(row, Steps.FAILED) }[only];
  view.kept = holds ? steps.keep(holds) : null;
  view.update();
  document.getElementById("nothing").hidden = view.shown.length > 0;
  remember();
}

function setMatches(text, places) {
  view.text = text;
  view.matches = new Map(Object.entries(places).filter(([id]) => steps.rows.has(id)).map(([id, place]) => [steps.rows.get(id), place]));
  matched = [...view.matches.keys()].sort((one, other) => one - other);
  const number = matched.length.toLocaleString("en");
  found.textContent = text ? `${number} ${matched.length === 1 ? "step" : "steps"} with this text` : "";
  for (const button of tools.querySelectorAll("[data-key=n], [data-key=N]")) button.hidden = !matched.length;
  view.draw();
}

async function search() {
  const text = tools.q.value.trim();
  searching?.abort();
  if (text === view.text) return;
  const mine = searching = new AbortController();
  if (!text) setMatches("", {});
  else {
    found.textContent = "Searching…";
    try {
      const answer = await fetch(`${tree.dataset.find}?${new URLSearchParams({ q: text })}`, { signal: mine.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      setMatches(text, await answer.json());
    } catch (error) {
      if (error.name === "AbortError") return;
      setMatches("", {});
      found.textContent = "The search got no answer. Try again.";
      return;
    }
  }
  remember();
}

// In the picture: from call to call, as they are drawn.
function callHere() {
  const focused = calls.indexOf(document.activeElement);
  return focused >= 0 ? focused : calls.findIndex((call) => call.hasAttribute("aria-current"));
}

function moveInPicture(by) {
  calls[Math.min(Math.max(callHere() + by, 0), calls.length - 1)]?.focus();
}

function openFailedCall(by) {
  const failed = calls.filter((call) => call.classList.contains("failed"));
  const here = callHere();
  const next = by > 0 ? failed.find((call) => calls.indexOf(call) > here) : failed.findLast((call) => calls.indexOf(call) < here);
  const call = next ?? failed.at(by > 0 ? 0 : -1);
  if (!call) return say("No call of the picture failed.");
  call.focus();
  call.click();
}

function searchSteps() {
  location.assign(`?${new URLSearchParams(view.chosen < 0 ? {} : { span: steps.id[view.chosen] })}#tree-q`);
}

// The list that one came from: [ and ] walk along it, and the way back leads to it.
const back = document.querySelector(".back a");
const listPath = new URL(back.href).pathname;
if (document.referrer && new URL(document.referrer).pathname === listPath) sessionStorage.setItem(listPath, document.referrer);
const list = sessionStorage.getItem(listPath);
if (list) back.href = list;

async function openTrace(by) {
  if (!list) return say("Open a trace from the list first: then [ and ] walk along that list.");
  const answer = await fetch(list);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const rows = [...page.querySelectorAll("a[data-row]")].map((link) => link.getAttribute("href").split("?")[0]);
  const place = rows.indexOf(location.pathname);
  const next = place < 0 ? undefined : rows[place + by];
  if (next) location.assign(next);
  else say(place < 0 ? "This trace is no longer on that page of the list." : by > 0 ? "This is the last trace of that page of the list." : "This is the first trace of that page of the list.");
}

function say(words) {
  found.textContent = words;
}

view.list.addEventListener("click", (event) => {
  const element = event.target.closest(".trow");
  if (!element || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { row } = element;
  const onToggle = event.target.closest(".toggle, .place") && element.classList.contains("has-inside");
  if (onToggle) expand(row, view.collapsed.has(row));
  else openStep(row);
});

view.list.addEventListener("focusin", (event) => {
  const element = event.target.closest(".trow");
  if (element && element.row !== view.active) {
    view.active = element.row;
    view.draw();
  }
});

// A step may lead to another one, a call in the picture to its step, feedback to the step it is on: its row becomes
// the chosen one.
document.querySelector(".trace").addEventListener("click", (event) => {
  const link = event.target.closest("[data-step], [data-node]");
  const row = link && steps.rows.get(new URL(link.href).searchParams.get("span"));
  if (row === undefined || row === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (view.kept && !view.kept[row]) narrow("");
  choose(row);
  view.reveal(row);
});

// Feedback on the chosen step was given, changed or taken back: its row says so too.
document.addEventListener("htmx:afterSettle", () => {
  const { span, icon, words } = document.getElementById("list-span")?.dataset ?? {};
  const row = steps.rows.get(span);
  if (row === undefined || view.marks.get(row)?.[1] === words) return;
  if (words) view.marks.set(row, [icon, words]);
  else view.marks.delete(row);
  view.draw();
});

document.addEventListener("htmx:replacedInHistory", () => remember());
document.addEventListener("htmx:sendError", ({ detail: { requestConfig } }) => {
  if (requestConfig.verb === "get") say("The step did not load: the server did not answer. Try again.");
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "step") return;
  panel.scrollTop = 0;
  // Stacked on a narrow screen, the step would change out of sight.
  if (matchMedia("(max-width: 1000px)").matches) panel.scrollIntoView();
});

tools.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearTimeout(typed);
  await search();
  showMatch(1);
});
tools.q.addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(search, 200);
});
tools.only.addEventListener("change", () => narrow(tools.only.value));
tools.addEventListener("click", (event) => {
  const button = event.target.closest("[data-key]");
  if (button) KEYS[button.dataset.key]();
  if (event.target.closest("#first-error")) {
    event.preventDefault();
    view.active = -1;
    narrow(tools.only.value === "failed" ? "failed" : "");
    const row = steps.flags.findIndex((flags) => flags & Steps.FAILED);
    show(row);
    openStep(row);
  }
});

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  e: () => openError(1),
  E: () => openError(-1),
  n: () => showMatch(1),
  N: () => showMatch(-1),
  "/": () => tools.q.focus(),
  "[": () => openTrace(-1),
  "]": () => openTrace(1),
  "?": () => document.getElementById("keys").showModal(),
  expand: () => expandAll(true),
  collapse: () => expandAll(false),
};
const KEYS_OF_PICTURE = {
  j: () => moveInPicture(1),
  k: () => moveInPicture(-1),
  e: () => openFailedCall(1),
  E: () => openFailedCall(-1),
  "/": searchSteps,
  "[": KEYS["["],
  "]": KEYS["]"],
  "?": KEYS["?"],
};
// Only where a row has the focus: elsewhere these keys are the browser's.
const KEYS_IN_TREE = {
  ArrowDown: KEYS.j,
  ArrowUp: KEYS.k,
  ArrowRight: toRight,
  ArrowLeft: toLeft,
  Home: () => view.focus(view.shown[0]),
  End: () => view.focus(view.shown.at(-1)),
  Enter: () => openStep(here()),
  "Shift ArrowRight": KEYS.expand,
  "Shift ArrowLeft": KEYS.collapse,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target === tools.q && event.key === "Escape" && !tools.q.value) return move(0);
  if (event.target.matches("input, select, textarea, [contenteditable]")) return;
  const shifted = event.shiftKey && event.key.startsWith("Arrow") ? `Shift ${event.key}` : event.key;
  const inTree = event.target.closest?.(".tlist"), inPicture = event.target.closest?.(".picture");
  const arrow = inPicture && { ArrowDown: KEYS_OF_PICTURE.j, ArrowUp: KEYS_OF_PICTURE.k }[event.key];
  const keys = tree.hidden ? KEYS_OF_PICTURE : KEYS;
  const act = arrow || (inTree && KEYS_IN_TREE[shifted]) || (event.key.length === 1 && keys[event.key]);
  if (!act) return;
  event.preventDefault();
  act();
});

for (const [id, mark] of Object.entries(JSON.parse(document.getElementById("marks-data").textContent))) {
  if (steps.rows.has(id)) view.marks.set(steps.rows.get(id), mark);
}
view.chosen = steps.rows.get(steps.chosen) ?? -1;
if (location.hash === "#tree-q") tools.q.focus();
if (tools.only.value) narrow(tools.only.value);
if (tools.q.value) setMatches(tools.q.value.trim(), steps.matches);
if (new URLSearchParams(location.search).get("span") === steps.chosen) view.reveal(view.chosen);
else view.draw();
