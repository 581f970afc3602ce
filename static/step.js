// The chosen step: copying texts, keys and tools of JSON trees, the chosen call of the graph. Pages work without it.
"use strict";

(() => {
  async function toClipboard(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // No clipboard interface outside https and loopback: the browser's older command does it.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("not copied");
    return undefined;
  }

  async function wholeText(address) {
    const response = await fetch(address, { headers: { Accept: "text/plain" } });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.text();
  }

  async function copied(button, text) {
    const label = button.textContent;
    try {
      await toClipboard(await text());
      button.textContent = "Copied";
      announce("Copied");
    } catch {
      button.textContent = "Not copied";
      announce("Could not copy");
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  // A row of a tree: where it stands, as a JSON path, and what stands there.
  function rowsTo(row) {
    const rows = [];
    for (let at = row; at; at = at.parentElement.closest("li[data-key]")) rows.unshift(at);
    return rows;
  }

  function pathOf(row) {
    return rowsTo(row).reduce((path, { dataset: { key, item } }) => {
      if (item !== undefined) return `${path}[${key}]`;
      return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
    }, "$");
  }

  // Ids of 64 bits would be rounded as numbers of JavaScript.
  function asWritten(key, value, context) {
    return typeof value === "number" && JSON.rawJSON && context ? JSON.rawJSON(context.source) : value;
  }

  async function valueOf(row) {
    const number = row.querySelector(":scope > .jnum");
    if (number) return number.textContent;
    let value = JSON.parse(await wholeText(row.closest(".json").dataset.source), asWritten);
    for (const { dataset: { key } } of rowsTo(row)) value = value[key];
    return typeof value === "string" ? value : JSON.stringify(value, null, 2);
  }

  const tools = document.createElement("span");
  tools.className = "jtools";
  for (const [label, read] of [["Copy value", valueOf], ["Copy path", pathOf]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = label;
    button.addEventListener("click", (event) => {
      event.preventDefault();
      event.stopPropagation();
      copied(button, async () => read(tools.closest("li[data-key]")));
    });
    tools.append(button);
  }

  function showTools(row) {
    if (tools.closest("li[data-key]") === row) return;
    // After what the row says, before what it holds; in a summary it would be part of the button that folds.
    const inner = row.querySelector(":scope > details");
    if (inner) row.insertBefore(tools, inner.nextSibling);
    else row.append(tools);
  }

  function rowsOf(tree) {
    return [...tree.querySelectorAll("li[data-key]")].filter((row) => row.offsetParent !== null);
  }

  // One stop of the Tab key a tree: arrows move between its rows, the tools stand beside the focused one.
  function prepare(root) {
    for (const tree of root.querySelectorAll(".jtree")) {
      for (const row of tree.querySelectorAll("li[data-key]")) {
        const target = row.querySelector(":scope > details > summary") || row;
        target.dataset.row = "json";
        target.tabIndex = -1;
      }
      const first = tree.querySelector("[data-row=json]");
      if (first) first.tabIndex = 0;
    }
  }

  function moveInTree(event) {
    const row = event.target.closest("li[data-key]");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!row || !step || event.target.closest("button")) return;
    const rows = rowsOf(row.closest(".jtree"));
    const next = rows[rows.indexOf(row) + step];
    if (!next) return;
    event.preventDefault();
    const target = next.querySelector(":scope > details > summary") || next;
    for (const other of row.closest(".jtree").querySelectorAll("[data-row=json][tabindex='0']")) other.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  }

  // The call in the picture whose step is shown.
  function markCall() {
    const shown = new URLSearchParams(location.search).get("span");
    for (const node of document.querySelectorAll("a[data-node]")) {
      if (new URL(node.href).searchParams.get("span") === shown) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy-from]");
    if (button) {
      event.preventDefault();
      copied(button, () => wholeText(button.dataset.copyFrom));
    }
  });
  function follow(event) {
    const row = event.target.closest?.(".jtree li[data-key]");
    if (row && !tools.contains(event.target)) showTools(row);
  }

  document.addEventListener("focusin", follow);
  // A mouse that lies still while the page scrolls under it takes the tools from nobody.
  document.addEventListener("mousemove", (event) => { if (event.movementX || event.movementY) follow(event); });
  document.addEventListener("keydown", moveInTree);
  document.addEventListener("htmx:afterSwap", (event) => prepare(event.detail.target));
  document.addEventListener("htmx:afterSettle", markCall);
  prepare(document);
})();
