// The mail: its fields, its four views, and what is found about it. Everything is put in as text.

const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const TABS = ["html", "text", "source", "headers"];
// Sizes as file managers show them.
const size = (bytes) => bytes < 1000 ? `${bytes} bytes`
  : bytes < 1_000_000 ? `${number.format(Math.round(bytes / 1000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;

export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function make(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

// A finding, with a way to its row.
export function finding(note, go) {
  const item = make("li", `finding ${note.severity}`);
  const head = make("p");
  head.append(make("span", "kind", { error: "Error", warning: "Warning" }[note.severity] ?? "Note"));
  const where = [note.file];
  if (note.line !== null && note.row === null) where.push(`line ${note.line}`);
  if (note.column !== null) where.push(`column ${note.column}`);
  head.append(" ", make("span", "where", where.filter(Boolean).join(", ")));
  if (note.row !== null) {
    const button = make("button", "", `row ${number.format(note.row)}`);
    button.type = "button";
    button.addEventListener("click", () => go(note.row));
    head.append(" ", button);
  }
  item.append(head, make("p", "", note.message));
  if (note.remedy) item.append(make("p", "remedy", note.remedy));
  return item;
}

export class Mail {
  constructor(ask) {
    this.ask = ask;
    this.shown = null; // what the frame shows
    this.wanted = 0; // the view that was chosen, shown where the mail has it
    this.isDark = false;
    this.isPhone = false;
    TABS.forEach((name, place) => {
      const tab = at(`tab-${name}`);
      tab.addEventListener("click", () => this.tab(place));
      tab.addEventListener("keydown", (event) => this.key(event, place));
    });
    at("wide").addEventListener("click", () => this.phone(false));
    at("phone").addEventListener("click", () => this.phone(true));
    at("light").addEventListener("click", () => this.dark(false));
    at("dark").addEventListener("click", () => this.dark(true));
  }

  nothing(words) {
    this.mail = null;
    this.row = null;
    at("mail").hidden = true;
    at("none").hidden = false;
    put(at("none"), words);
    at("row").hidden = true;
  }

  show(found) {
    const other = this.row !== found.line.row;
    this.row = found.line.row;
    this.mail = found.mail ?? null;
    at("mail").hidden = !this.mail;
    at("none").hidden = Boolean(this.mail);
    this.cells(found.cells);
    if (!this.mail) {
      put(at("none"), found.none);
      return;
    }
    put(at("subject"), this.mail.subject.trim() || "(no subject)");
    this.fields();
    put(at("text"), this.mail.text);
    this.headers();
    if (other) for (const name of TABS) at(`panel-${name}`).scrollTop = 0;
    at("tab-html").disabled = this.mail.html === null;
    this.view();
    if (this.current === 2) this.source();
    this.frame();
  }

  cells(cells) {
    at("row").hidden = cells.length === 0;
    at("cells").replaceChildren(...cells.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value || "–")]));
  }

  fields() {
    const { mail } = this;
    const lines = [];
    const add = (name, value, note) => {
      const line = make("dd", "", value);
      if (note) line.append(make("span", "note", note));
      lines.push(make("dt", "", name), line);
    };
    add("From", mail.from);
    add("To", mail.to, mail.to_note);
    if (mail.cc.length) add("Cc", mail.cc.join(", "));
    if (mail.bcc.length) add("Blind copy", mail.bcc.join(", "), "not shown to recipients");
    if (mail.reply_to) add("Reply-To", mail.reply_to);
    if (mail.date) add("Date", mail.date, mail.date_note);
    if (mail.attached.length) {
      const line = make("dd");
      for (const file of mail.attached) {
        const span = make("span", "file");
        const link = make("a", "", file.name);
        link.href = `mail/${this.row}/part/${file.part}`;
        link.download = "";
        span.append(link, make("span", "note", `${size(file.size)}, ${file.type}`));
        line.append(span);
      }
      lines.push(make("dt", "", "Attached"), line);
    }
    at("fields").replaceChildren(...lines);
  }

  headers() {
    at("headers").replaceChildren(...this.mail.headers.map((header) => {
      const line = make("tr");
      const name = make("th", "", header.name);
      name.scope = "row";
      const value = make("td", "", header.value);
      if (header.raw !== header.value) value.append(make("code", "", header.raw));
      line.append(name, value);
      return line;
    }));
  }

  // The view that is shown: the one that was chosen, or the text where there is no HTML.
  get current() {
    return this.mail && this.mail.html === null && this.wanted === 0 ? 1 : this.wanted;
  }

  tab(place) {
    if (place === 0 && this.mail?.html === null) return;
    this.wanted = place;
    this.view();
    if (!this.mail) return;
    if (place === 2) this.source();
    this.frame();
  }

  view() {
    TABS.forEach((name, place) => {
      const isCurrent = place === this.current;
      at(`tab-${name}`).setAttribute("aria-selected", String(isCurrent));
      at(`tab-${name}`).tabIndex = isCurrent ? 0 : -1;
      at(`panel-${name}`).hidden = !isCurrent;
    });
    at("looks").hidden = this.current !== 0;
  }

  key(event, place) {
    const open = TABS.map((_, at) => at).filter((other) => other > 0 || this.mail?.html !== null);
    const here = open.indexOf(place);
    const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: open.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = open[(to + open.length) % open.length];
    this.tab(next);
    at(`tab-${TABS[next]}`).focus();
  }

  phone(is) {
    this.isPhone = is;
    at("stage").classList.toggle("phone", is);
    at("phone").setAttribute("aria-pressed", String(is));
    at("wide").setAttribute("aria-pressed", String(!is));
  }

  dark(is) {
    this.isDark = is;
    at("stage").classList.toggle("dark", is);
    at("dark").setAttribute("aria-pressed", String(is));
    at("light").setAttribute("aria-pressed", String(!is));
    if (this.mail) this.frame();
  }

  remark() {
    const words = [];
    if (this.mail.remote === 1) words.push("One picture or style sheet from elsewhere is not loaded here.");
    if (this.mail.remote > 1) words.push(`${number.format(this.mail.remote)} pictures or style sheets from elsewhere are not loaded here.`);
    if (this.isDark && this.mail.dark === "stays-light") words.push("The mail asks to stay light; some mail programs darken it all the same.");
    if (this.isDark && this.mail.dark === "silent") words.push("The mail has no rules for dark; mail programs choose colours of their own.");
    at("remark").hidden = words.length === 0;
    put(at("remark"), words.join(" "));
  }

  // The mail's HTML in a frame without scripts and without an origin. The new one is put in place when it is
  // there, and is left alone while nothing of it has changed.
  frame() {
    if (this.mail.html === null) {
      at("stage").replaceChildren();
      this.shown = null;
      return;
    }
    this.remark();
    if (this.current !== 0) return;
    const next = { row: this.row, html: this.mail.html, dark: this.isDark };
    const now = this.shown;
    if (now && now.row === next.row && now.html === next.html && now.dark === next.dark) return;
    const edited = now && now.row === next.row && now.html !== next.html;
    this.shown = next;
    const frame = document.createElement("iframe");
    frame.className = "coming";
    frame.title = "The mail as HTML";
    frame.setAttribute("sandbox", "");
    frame.referrerPolicy = "no-referrer";
    const look = new URLSearchParams({ html: next.html, dark: next.dark ? "1" : "0" });
    if (edited) look.set("was", now.html);
    frame.src = `mail/${next.row}/html?${look}${edited ? "#postroom-changed" : ""}`;
    frame.addEventListener("load", () => {
      if (this.shown !== next) {
        frame.remove();
        return;
      }
      for (const other of at("stage").querySelectorAll("iframe")) if (other !== frame) other.remove();
      frame.className = "";
    });
    at("stage").append(frame);
  }

  async source() {
    const { row, mail } = this;
    const found = await this.ask(`api/row/${row}/source`);
    if (!found || this.mail !== mail) return;
    put(at("size"), `${number.format(found.bytes)} bytes, as they go out.`);
    at("eml").href = `mail/${row}/mail.eml`;
    at("source").replaceChildren(...found.stretches.map((stretch) => {
      if (stretch.text !== undefined) return document.createTextNode(stretch.text);
      const button = make("button", "", `${stretch.what}: ${number.format(stretch.lines)} lines of base64 – show`);
      button.type = "button";
      button.addEventListener("click", async () => {
        const body = await this.ask(`api/row/${row}/unfolded?from=${stretch.from}&to=${stretch.to}`);
        if (!body) return;
        const rest = body.left > 0 ? `\n… ${number.format(body.left)} bytes more\n` : "";
        button.replaceWith(document.createTextNode(body.text + rest));
      });
      return button;
    }));
  }
}
