// The page: what the campaign is, whom it shows, and what happens on keys and clicks.

import { List } from "./list.js";
import { Mail, finding, put } from "./message.js";

const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const many = (count, one, more) => `${number.format(count)} ${count === 1 ? one : more}`;

let state = { serial: -1, edition: 0, rows: null, phase: "reading" };
let row = null; // the data row that is shown
let query = "";
let searching = null;
let opening = null;

async function ask(path, signal) {
  const answer = await fetch(path, { signal, cache: "no-store" });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`the program answered ${answer.status}`);
  return answer.json();
}

const mail = new Mail(ask);
const list = new List(
  at("list"),
  async (from, count) => {
    try {
      return (await ask(`api/rows?from=${from}&count=${count}`))?.rows;
    } catch {
      return null;
    }
  },
  (place) => open({ place }),
);

// Shows a row: by its number, or by its place in the list that is shown.
async function open({ wanted, place, view = true, reveal = true }) {
  opening?.abort();
  const stop = (opening = new AbortController());
  try {
    const target = wanted ?? (await list.rowAt(place))?.row;
    if (target === undefined || stop.signal.aborted) return;
    const found = await ask(`api/row/${target}`, stop.signal);
    if (!found) {
      if (wanted === undefined) return;
      row = null;
      mail.nothing(`There is no row ${target} in the list.`);
      return;
    }
    row = target;
    if (!query) list.select(found.place, reveal);
    else if (place !== undefined) list.select(place, reveal);
    if (view) document.body.dataset.view = "message";
    mail.show(found);
    step();
    findings(found.findings);
    for (const button of at("case-list").querySelectorAll("button")) {
      button.setAttribute("aria-current", String(Number(button.dataset.row) === row));
    }
    history.replaceState(null, "", `#row=${row}`);
  } catch (error) {
    if (error.name !== "AbortError") lost();
  }
}

// What can be stepped to, and where in it we are.
function step() {
  const place = list.selected;
  at("previous").disabled = place <= 0;
  at("next").disabled = place + 1 >= list.count;
  put(at("place"), row === null ? "" : query && place >= 0
    ? `Row ${number.format(row)} · ${number.format(place + 1)} of ${number.format(list.count)} found`
    : `Row ${number.format(row)} of ${number.format(state.rows ?? 0)}`);
}

function move(by) {
  const place = list.selected + by;
  if (place >= 0 && place < list.count) open({ place });
}

async function search(keep = false) {
  searching?.abort();
  query = at("query").value.trim();
  at("cases").hidden = Boolean(query) || state.cases.length === 0;
  put(at("list-title").firstChild, query ? "Found " : "Everyone ");
  if (!query) {
    put(at("found"), "");
    list.show(state.rows ?? 0);
    put(at("list-count"), state.rows === null ? "" : number.format(state.rows));
    if (row !== null && !keep) open({ wanted: row, view: false });
    return;
  }
  const stop = (searching = new AbortController());
  try {
    const hits = await ask(`api/search?q=${encodeURIComponent(query)}`, stop.signal);
    if (!hits) return;
    list.showAll(hits.rows);
    const shown = hits.rows.length;
    put(at("list-count"), number.format(hits.count));
    at("found").classList.toggle("hidden", hits.count === shown);
    put(at("found"), hits.count > shown
      ? `${many(hits.count, "row", "rows")}; the first ${shown} are listed`
      : many(hits.count, "row", "rows"));
    list.select(hits.rows.findIndex((line) => line.row === row), !keep);
    step();
  } catch (error) {
    if (error.name !== "AbortError") lost();
  }
}

// The findings: of the row, of the campaign, of other rows.
async function findings(own) {
  const all = (await ask("api/findings")) ?? { campaign: [], rows: [], more: 0 };
  const go = (target) => open({ wanted: target });
  const fill = (id, notes) => {
    at(id).hidden = notes.length === 0;
    at(id).querySelector("ul").replaceChildren(...notes.map((note) => finding(note, go)));
  };
  fill("own", own ?? []);
  fill("whole", all.campaign);
  const others = all.rows.filter((note) => note.row !== row);
  fill("others", others);
  put(at("other-count"), `(${number.format(others.length)})`);
  at("more-findings").hidden = all.more === 0;
  put(at("more-findings"), `${many(all.more, "finding more", "findings more")}: postroom check lists them all.`);
}

function counts() {
  const box = at("counts");
  box.replaceChildren();
  for (const [kind, count] of [["error", state.errors], ["warning", state.warnings], ["note", state.notes]]) {
    if (count === 0) continue;
    const part = document.createElement("b");
    part.className = kind;
    part.textContent = many(count, kind, `${kind}s`);
    box.append(part, " ");
  }
  const quiet = state.errors + state.warnings + state.notes === 0;
  at("quiet").hidden = !quiet;
  put(at("quiet"), state.planned ? "It was proved when it was planned."
    : state.phase === "checked" ? "Nothing found: every row was rendered." : "Nothing found so far.");
}

function describe() {
  put(at("campaign"), state.campaign || "Preview");
  document.title = state.campaign ? `Preview of ${state.campaign}` : "Preview";
  const badge = at("badge");
  badge.hidden = false;
  badge.classList.toggle("edited", state.edited);
  put(badge, !state.planned ? "not planned yet"
    : state.edited ? "as planned; the folder was edited since" : "as planned");
  const parts = [];
  if (state.rows !== null) parts.push(many(state.rows, "row", "rows"));
  if (state.messages !== null) parts.push(many(state.messages, "message", "messages"));
  if (state.shared_messages) parts.push(`${number.format(state.shared_messages)} of them shared`);
  put(at("summary"), parts.join(" · "));
  const percent = state.percent === null ? "" : ` ${state.percent} %`;
  at("progress").hidden = state.phase === "checked";
  put(at("progress"), state.phase === "reading" ? "Reading the list…" : `Still being checked…${percent}`);
}

function cases() {
  at("cases").hidden = state.cases.length === 0 || Boolean(query);
  at("case-list").replaceChildren(...state.cases.map(({ line, shows }) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.row = line.row;
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = line.name || line.address;
    const words = document.createElement("span");
    words.className = "shows";
    words.textContent = shows.join("; ");
    button.append(name, words);
    button.setAttribute("aria-current", String(line.row === row));
    button.addEventListener("click", () => open({ wanted: line.row }));
    item.append(button);
    return item;
  }));
}

function said(words) {
  put(at("status"), words);
}

function lost() {
  said("Postroom has ended: start postroom preview again.");
}

async function take(next) {
  const before = state;
  state = next;
  describe();
  counts();
  cases();
  const isOther = next.edition !== before.edition;
  if (!isOther && next.phase === before.phase) return;
  if (isOther) await search(true);
  if (before.edition === 0) await begin();
  else if (row !== null) await open({ wanted: row, view: false, reveal: false });
  if (row === null) await findings([]);
  if (isOther && before.edition > 0) {
    const when = new Date().toLocaleTimeString();
    said(next.errors ? `Saved and read again at ${when}, with errors` : `Saved and read again at ${when}`);
  } else if (next.phase === "checked") {
    said(next.errors ? "Checked: there are errors" : "Checked");
  }
}

// Whom the page opens at.
async function begin() {
  const asked = new URLSearchParams(location.hash.slice(1)).get("row");
  if (asked) await open({ wanted: asked });
  else if (state.rows) await open({ place: 0, view: false });
  else mail.nothing("There is nothing to show: the list cannot be read.");
}

async function follow() {
  for (;;) {
    try {
      const next = await ask(state.serial < 0 ? "api/state" : `api/state?seen=${state.serial}`);
      if (next && next.serial !== state.serial) await take(next);
    } catch {
      lost();
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

const typing = (target) => target.matches?.("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || at("help").open) return;
  if (event.target === at("query")) {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      at("list").focus();
      if (list.count > 0 && list.selected < 0) open({ place: 0, view: event.key === "Enter" });
    } else if (event.key === "Escape") {
      at("query").value = "";
      search();
      at("list").focus();
    }
    return;
  }
  if (typing(event.target)) return;
  const arrows = !event.target.closest?.("[role=tablist]");
  const tab = ["1", "2", "3", "4"].indexOf(event.key);
  if (event.key === "j" || (event.key === "ArrowRight" && arrows)) move(1);
  else if (event.key === "k" || (event.key === "ArrowLeft" && arrows)) move(-1);
  else if (event.key === "/") at("query").focus();
  else if (event.key === "?") at("help").showModal();
  else if (event.key === "p") mail.phone(!mail.isPhone);
  else if (event.key === "d") mail.dark(!mail.isDark);
  else if (tab >= 0) mail.tab(tab);
  else return;
  event.preventDefault();
});

let typed;
at("query").addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(() => search(), 120);
});
at("previous").addEventListener("click", () => move(-1));
at("next").addEventListener("click", () => move(1));
at("help-open").addEventListener("click", () => at("help").showModal());
at("back").addEventListener("click", () => {
  document.body.dataset.view = "list";
  list.select(list.selected);
  at("list").focus();
});

state.cases = [];
// Beside the mail there is room for them.
at("row").open = matchMedia("(min-width: 1280px)").matches;
follow();
