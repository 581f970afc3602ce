// The tree of a trace: which rows are to be seen, and the few of them that are in the page at any time.
"use strict";

// What the server sent, a list a column (texts: each once, and which one a row has), and what follows from it. A row
// is a number.
class Steps {
  static FAILED = 1;
  static CRITICAL = 2;
  static MISSING_PARENT = 4;
  static CYCLE = 8;
  static UNPRICED = 16;
  static OPEN = 32;

  constructor(columns) {
    Object.assign(this, columns);
    this.count = this.id.length;
    this.parent = new Int32Array(this.count).fill(-1);
    this.end = new Int32Array(this.count).fill(this.count); // the first row after those inside
    this.place = new Int32Array(this.count); // among the rows of its parent, from 1
    this.inside = new Int32Array(this.count + 1); // how many rows it is the parent of; the last: at the top
    const path = [];
    for (let row = 0; row < this.count; row++) {
      while (path.length > this.depth[row]) this.end[path.pop()] = row;
      if (path.length) this.parent[row] = path[path.length - 1];
      this.place[row] = ++this.inside[this.above(row)];
      path.push(row);
    }
    this.rows = new Map(this.id.map((id, row) => [id, row]));
  }

  above(row) { return this.parent[row] < 0 ? this.count : this.parent[row]; }
  siblings(row) { return this.inside[this.above(row)]; }
  isLast(row) { return this.place[row] === this.siblings(row); }
  is(row, flag) { return (this.flags[row] & flag) !== 0; }
  text(column, row) { return this[column].texts[this[column].at[row]]; }

  *around(row) {
    for (let outer = this.parent[row]; outer >= 0; outer = this.parent[outer]) yield outer;
  }

  // The rows that `wanted` holds for, and those around them.
  keep(wanted) {
    const kept = new Uint8Array(this.count);
    for (let row = this.count - 1; row >= 0; row--) {
      if (!kept[row] && !wanted(row)) continue;
      kept[row] = 1;
      if (this.parent[row] >= 0) kept[this.parent[row]] = 1;
    }
    return kept;
  }
}

// Draws rows into the page: those near the screen, and the one that has the focus.
class TreeView {
  // So many rows are all in the page, where the browser's own search finds them; of more, those near the screen.
  static ALL_DRAWN = 400;
  static MARGIN = 800;
  static MAX_INDENT = 16;

  constructor(steps, grid, list, blank) {
    this.steps = steps;
    this.grid = grid;
    this.list = list;
    this.blank = blank;
    this.icons = blank.querySelector(".tname use").getAttribute("href").split("#")[0];
    this.collapsed = new Set();
    this.kept = null;
    this.matches = new Map();
    this.marks = new Map(); // what was said of a row: an icon and words
    this.text = "";
    this.chosen = -1;
    this.active = -1;
    this.drawn = new Map();
    grid.setAttribute("role", "treegrid");
    list.replaceChildren();
    this.arrange();
    addEventListener("scroll", () => this.soon(), { passive: true });
    addEventListener("resize", () => { this.arrange(); this.draw(); });
  }

  // Which rows are to be seen, in order, and where each begins.
  arrange() {
    const { steps, collapsed, kept } = this;
    const style = getComputedStyle(this.list);
    const low = parseFloat(style.getPropertyValue("--row")), high = parseFloat(style.getPropertyValue("--row-failed"));
    this.shown = [];
    this.tops = [0];
    this.at = new Map();
    for (let row = 0; row < steps.count; row = collapsed.has(row) ? steps.end[row] : row + 1) {
      if (kept && !kept[row]) continue;
      this.at.set(row, this.shown.length);
      this.shown.push(row);
      this.tops.push(this.tops[this.tops.length - 1] + (steps.is(row, Steps.FAILED) ? high : low));
    }
    this.list.style.height = `${this.tops[this.shown.length]}px`;
    this.grid.setAttribute("aria-rowcount", this.shown.length + 1);
  }

  soon() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.draw(false); });
  }

  indexAt(y) {
    let low = 0, high = this.shown.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle] <= y) low = middle; else high = middle - 1;
    }
    return low;
  }

  // `changed`: more than the place one looks at; rows that are in the page say it too.
  draw(changed = true) {
    const all = this.shown.length <= TreeView.ALL_DRAWN;
    const top = -this.list.getBoundingClientRect().top;
    const first = all ? 0 : this.indexAt(top - TreeView.MARGIN);
    const last = all ? this.shown.length - 1 : this.indexAt(top + innerHeight + TreeView.MARGIN);
    const wanted = this.shown.slice(first, last + 1);
    const active = this.at.get(this.active);
    if (active < first) wanted.unshift(this.active);
    if (active > last) wanted.push(this.active);
    const keep = new Set(wanted);
    for (const [row, element] of this.drawn) {
      if (keep.has(row)) continue;
      element.remove();
      this.drawn.delete(row);
    }
    let next = this.list.firstChild;
    for (const row of wanted) {
      const there = this.drawn.get(row);
      const element = there ?? this.create(row);
      if (!there || changed) this.refresh(element, row);
      if (there) next = there.nextSibling;
      else {
        this.drawn.set(row, element);
        this.list.insertBefore(element, next);
      }
    }
  }

  // What a row says for good.
  create(row) {
    const { steps } = this;
    const element = this.blank.cloneNode(true);
    const part = (name) => element.querySelector(name);
    const kind = steps.text("kind", row), failed = steps.is(row, Steps.FAILED), critical = steps.is(row, Steps.CRITICAL);
    const name = steps.text("name", row);
    element.row = row;
    element.className = `trow d${Math.min(steps.depth[row], TreeView.MAX_INDENT)}${failed ? " failed" : ""}${critical ? " critical" : ""}`;
    element.setAttribute("aria-level", steps.depth[row] + 1);
    element.setAttribute("aria-setsize", steps.siblings(row));
    element.setAttribute("aria-posinset", steps.place[row]);
    part(".guides").replaceChildren(...this.guides(row));
    for (const marked of element.querySelectorAll(".tname .icon, .bar")) {
      marked.classList.remove("k-span");
      marked.classList.add(`k-${kind}`);
    }
    part(".tname .icon").setAttribute("aria-label", kind);
    part(".tname use").setAttribute("href", `${this.icons}#${kind}`);
    const link = part("[data-row]");
    link.title = name;
    link.tabIndex = -1;
    if (failed) link.dataset.failed = "";
    if (steps.is(row, Steps.CYCLE)) Object.assign(part(".detached"), { textContent: "in a loop", title: "Shown at the top level: it is its own ancestor" });
    else if (!steps.is(row, Steps.MISSING_PARENT)) part(".detached").remove();
    part(".model").textContent = steps.text("model", row);
    if (!critical) {
      part(".way").remove();
      part(".tbar").removeAttribute("title");
    }
    const bar = part(".lasts");
    bar.setAttribute("x", `${steps.left[row]}%`);
    bar.setAttribute("width", `${steps.width[row]}%`);
    bar.classList.toggle("open", steps.is(row, Steps.OPEN));
    bar.setAttribute("y", critical ? 4 : 6);
    bar.setAttribute("height", critical ? 10 : 6);
    if (failed) part(".cap").setAttribute("x", `${steps.left[row] + steps.width[row]}%`);
    else part(".cap").remove();
    part(".tlat").textContent = steps.text("latency", row);
    part(".ttok").textContent = steps.text("tokens", row);
    const cost = part(".tcost > span");
    cost.textContent = steps.text("cost", row);
    cost.title = steps.text("exact", row);
    cost.classList.toggle("warn", steps.is(row, Steps.UNPRICED));
    if (!failed) part(".tmessage").remove();
    return element;
  }

  guides(row) {
    const { steps } = this;
    const lines = [];
    for (const outer of steps.around(row)) {
      if (steps.depth[outer] && steps.depth[outer] < TreeView.MAX_INDENT) lines.unshift(this.line(steps.isLast(outer) ? "" : "on"));
    }
    if (steps.depth[row]) lines.push(this.line(steps.isLast(row) ? "end" : "fork"));
    return lines;
  }

  line(name) {
    const element = document.createElement("i");
    if (name) element.className = name;
    return element;
  }

  // What changes: where it lies, whether it is open, chosen, matched, reached by the keyboard.
  refresh(element, row) {
    const { steps } = this;
    const index = this.at.get(row), inside = steps.end[row] - row - 1;
    const open = !this.collapsed.has(row), place = this.matches.get(row);
    element.style.top = `${this.tops[index]}px`;
    element.tabIndex = row === this.active ? 0 : -1;
    element.setAttribute("aria-rowindex", index + 2);
    element.setAttribute("aria-selected", row === this.chosen);
    if (inside) element.setAttribute("aria-expanded", open);
    element.classList.toggle("chosen", row === this.chosen);
    element.classList.toggle("match", place !== undefined);
    element.classList.toggle("has-inside", inside > 0);
    const label = element.querySelector(".place");
    const seen = ["name", "model", "error"].includes(place);
    label.textContent = !open ? `+${inside.toLocaleString("en")}` : place && !seen ? `in ${place}` : "";
    label.hidden = !label.textContent;
    const mark = element.querySelector(".mark"), [icon, words] = this.marks.get(row) ?? [];
    mark.hidden = !words;
    if (words && mark.title !== words) {
      mark.title = words;
      mark.lastElementChild.textContent = words;
      mark.querySelector("use").setAttribute("href", `${this.icons}#${icon}`);
      mark.querySelector("svg").setAttribute("class", `icon v-${icon}`);
    }
    const link = element.querySelector("[data-row]");
    link.setAttribute("href", `?span=${steps.id[row]}#step`);
    const searched = place === undefined ? "" : this.text;
    TreeView.mark(link, steps.text("name", row) || "(no name)", searched);
    const said = element.querySelector(".said");
    if (said) TreeView.mark(said, steps.text("failure", row), searched);
  }

  // Opens what is around a row and brings it onto the screen.
  reveal(row) {
    if (!this.list.offsetParent) return false; // the picture stands in its place
    let changed = false;
    for (const outer of this.steps.around(row)) changed = this.collapsed.delete(outer) || changed;
    if (changed) this.arrange();
    const index = this.at.get(row);
    if (index === undefined) return false;
    const top = this.list.getBoundingClientRect().top + this.tops[index];
    const bottom = this.list.getBoundingClientRect().top + this.tops[index + 1];
    const ceiling = parseFloat(getComputedStyle(this.list).scrollMarginTop);
    if (top < ceiling || bottom > innerHeight - 8) scrollBy({ top: top - Math.max(ceiling, innerHeight / 3), behavior: "instant" });
    this.draw();
    return true;
  }

  focus(row) {
    this.active = row;
    if (this.reveal(row)) this.drawn.get(row).focus({ preventScroll: true });
  }

  // After rows came or went: where the focus was on one that went, the row around it takes it.
  update() {
    const focused = this.list.contains(document.activeElement);
    this.arrange();
    if (this.active >= 0 && !this.at.has(this.active)) {
      const outer = [...this.steps.around(this.active)].find((one) => this.at.has(one));
      this.active = outer ?? this.shown[0] ?? -1;
    }
    if (focused && this.active >= 0) this.focus(this.active);
    else this.draw();
  }

  // Puts a text into an element with what was searched marked in it.
  static mark(element, text, searched) {
    const at = searched ? text.toLowerCase().indexOf(searched.toLowerCase()) : -1;
    if (at < 0) {
      if (element.textContent !== text || element.firstElementChild) element.textContent = text;
      return;
    }
    const found = document.createElement("mark");
    found.textContent = text.slice(at, at + searched.length);
    element.replaceChildren(text.slice(0, at), found, text.slice(at + searched.length));
  }
}
