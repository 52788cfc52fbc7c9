// The list: only what can be seen is there, whatever its length.

const HEIGHT = 52;
const BLOCK = 100;
// Browsers lay out no more than some ten million pixels: beyond, a pixel of scrolling stands for more of the list.
const TALLEST = 6_000_000;
// Blocks that are kept: what was left behind is fetched again.
const KEPT = 40;

export class List {
  constructor(box, fetchRows, pick) {
    this.box = box;
    this.fetchRows = fetchRows;
    this.pick = pick;
    this.count = 0;
    this.blocks = new Map();
    this.selected = -1;
    this.spacer = document.createElement("div");
    this.spacer.setAttribute("role", "presentation");
    box.append(this.spacer);
    this.lines = new Map();
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(box);
    box.addEventListener("click", (event) => {
      const line = event.target.closest(".line");
      if (line) this.pick(Number(line.dataset.place));
    });
    box.addEventListener("keydown", (event) => this.key(event));
  }

  // A list of so many rows, fetched as they are needed.
  show(count) {
    this.count = count;
    this.blocks.clear();
    this.place();
  }

  // A list that is known as a whole.
  showAll(rows) {
    this.blocks.clear();
    for (let at = 0; at < rows.length; at += BLOCK) this.blocks.set(at / BLOCK, rows.slice(at, at + BLOCK));
    this.count = rows.length;
    this.place();
  }

  place() {
    this.spacer.style.height = `${Math.min(this.count * HEIGHT, TALLEST)}px`;
    this.clear();
    this.draw();
  }

  clear() {
    for (const line of this.lines.values()) line.remove();
    this.lines.clear();
  }

  // How much of the list a pixel of scrolling stands for.
  get scale() {
    const view = this.box.clientHeight;
    const tall = Math.min(this.count * HEIGHT, TALLEST);
    return tall > view ? (this.count * HEIGHT - view) / (tall - view) : 1;
  }

  draw() {
    const scrolled = this.box.scrollTop;
    const top = scrolled * this.scale;
    const first = Math.max(0, Math.floor(top / HEIGHT) - 3);
    const last = Math.min(this.count, Math.ceil((top + this.box.clientHeight) / HEIGHT) + 3);
    for (const [place, line] of this.lines) {
      if (place < first || place >= last) {
        line.remove();
        this.lines.delete(place);
      }
    }
    for (let place = first; place < last; place += 1) {
      let line = this.lines.get(place);
      if (!line) {
        line = this.line(place);
        this.lines.set(place, line);
        this.box.append(line);
      }
      line.style.top = `${scrolled + place * HEIGHT - top}px`;
    }
    this.mark();
  }

  line(place) {
    const line = document.createElement("div");
    line.className = "line";
    line.id = `line-${place}`;
    line.dataset.place = place;
    line.setAttribute("role", "option");
    line.setAttribute("aria-posinset", place + 1);
    line.setAttribute("aria-setsize", this.count);
    this.fill(line, this.row(place));
    return line;
  }

  fill(line, row) {
    const part = (name, text) => {
      const span = document.createElement("span");
      span.className = name;
      span.textContent = text;
      return span;
    };
    line.replaceChildren();
    if (!row) {
      line.append(part("address", "…"));
      return;
    }
    if (row.name) line.append(part("name", row.name), part("address", row.address));
    else line.append(part("name", row.address || `row ${row.row}`));
    if (row.fate) line.append(part("fate", row.fate));
  }

  row(place) {
    const number = Math.floor(place / BLOCK);
    const block = this.blocks.get(number);
    if (Array.isArray(block)) return block[place - number * BLOCK];
    if (!block) this.load(number);
    return undefined;
  }

  async load(number) {
    const mark = {};
    this.blocks.set(number, mark);
    const rows = await this.fetchRows(number * BLOCK, BLOCK);
    // The list may be another one by now.
    if (this.blocks.get(number) !== mark) return;
    if (!rows) {
      this.blocks.delete(number);
      return;
    }
    if (this.blocks.size > KEPT) this.blocks.delete(this.blocks.keys().next().value);
    this.blocks.set(number, rows);
    for (const [place, line] of this.lines) {
      if (Math.floor(place / BLOCK) === number) this.fill(line, rows[place - number * BLOCK]);
    }
  }

  // The row at a place, fetched if need be.
  async rowAt(place) {
    const number = Math.floor(place / BLOCK);
    const block = this.blocks.get(number);
    if (Array.isArray(block)) return block[place - number * BLOCK];
    const rows = await this.fetchRows(place, 1);
    return rows?.[0];
  }

  select(place, reveal = true) {
    this.selected = place;
    if (reveal && place >= 0) {
      const view = this.box.clientHeight;
      const top = this.box.scrollTop * this.scale;
      const from = place * HEIGHT;
      if (from < top) this.box.scrollTop = from / this.scale;
      else if (from + HEIGHT > top + view) this.box.scrollTop = (from + HEIGHT - view) / this.scale;
    }
    this.draw();
  }

  mark() {
    for (const [place, line] of this.lines) line.setAttribute("aria-selected", String(place === this.selected));
    if (this.lines.has(this.selected)) this.box.setAttribute("aria-activedescendant", `line-${this.selected}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.box.clientHeight / HEIGHT) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined || this.count === 0) return;
    event.preventDefault();
    this.pick(Math.min(this.count - 1, Math.max(0, this.selected + step)));
  }
}
