"use strict";

const STEP = 100;
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** Whether the reader has gone to a section by its link: then tables above it do not grow. */
let jumped = location.hash !== "";
for (const event of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  addEventListener(event, () => { jumped = false; }, { passive: true, capture: true });
}
addEventListener("click", (event) => { jumped ||= event.target.closest("nav a") !== null; });

/** An element with texts and elements in it; texts stay texts. */
function make(tag, attributes, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else if (value !== null && value !== undefined && value !== "") made.setAttribute(name, value);
  }
  made.append(...content.filter((one) => one !== null && one !== undefined));
  return made;
}

function colour(index, count) {
  return `hsl(${Math.round((360 * index) / Math.max(1, count))} 62% 52%)`;
}

function key(index, count) {
  const mark = make("i", { class: "key", "aria-hidden": "true" });
  mark.style.background = colour(index, count);
  return mark;
}

/** A path, which may be broken behind each folder. */
function broken(text) {
  return text.split(/(?<=\/)/).flatMap((part, at) => (at ? [make("wbr"), part] : [part]));
}

function clock(seconds) {
  const whole = Math.round(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function bar(permille, fill) {
  const made = make("i", {});
  made.style.width = `${permille / 10}%`;
  if (fill) made.style.background = fill;
  return made;
}

/** How each kind of column is shown (cell), sorted (order) and searched (text). */
const KINDS = {
  name: {
    text: (column, row) => column.values[row],
  },
  text: {
    text: (column, row) => column.values[row],
    cell: (column, row) => {
      const text = column.values[row];
      return column.short && text ? make("span", { class: "short", title: text }, text) : text;
    },
  },
  choice: {
    text: (column, row) => column.labels[column.values[row]] ?? "",
    cell: (column, row) => {
      const label = column.labels[column.values[row]] ?? "";
      return label && make("span", { class: column.marks?.[column.values[row]] }, label);
    },
  },
  number: {
    order: (column, row) => column.values[row],
    text: (column, row) => {
      const value = column.values[row];
      if (value === null) return "";
      return column.digits === null ? String(value) : value.toFixed(column.digits);
    },
    cell: (column, row) => {
      const value = column.values[row];
      if (value === null || column.digits !== null || Number.isInteger(value)) return KINDS.number.text(column, row);
      return String(Number(value.toPrecision(5)));
    },
    numeric: true,
  },
  clock: {
    order: (column, row) => column.values[row],
    text: (column, row) => (column.values[row] === null ? "" : clock(column.values[row])),
    cell: (column, row) => KINDS.clock.text(column, row),
    numeric: true,
  },
  share: {
    order: (column, row) => column.values[row],
    text: (column, row) => (column.values[row] === null ? "" : (column.values[row] / 1000).toFixed(3)),
    cell: (column, row) =>
      column.values[row] === null
        ? ""
        : make("span", { class: "share" }, make("span", {}, KINDS.share.text(column, row)),
          make("span", {}, bar(column.values[row]))),
  },
  shares: {
    order: (column, row) => (column.values[row].length ? column.values[row][1] : null),
    text: () => "",
    cell: (column, row) => shares(column, row, 3),
  },
  pieces: { text: () => "" },
};

function shares(column, row, most) {
  const values = column.values[row];
  if (!values.length) return "";
  const made = make("span", { class: "shares" });
  for (let at = 0; at < values.length && at < 2 * most; at += 2) {
    const [label, permille] = [values[at], values[at + 1]];
    made.append(make("span", {}, column.labels[label]),
      make("span", {}, bar(permille * 0.7, colour(label, column.labels.length)), (permille / 1000).toFixed(2)));
  }
  return made;
}

class Tracks {
  constructor(place, data) {
    this.place = place;
    this.data = data;
    this.columns = data.columns;
    this.chosen = new Map();
    this.words = "";
    this.sorted = data.sort;
    this.open = new Map();
    this.build();
    this.apply();
  }

  get visible() { return this.columns.filter((one) => one.shown); }

  column(kind) { return this.columns.find((one) => one.kind === kind); }

  build() {
    this.head = make("tr", { role: "row" });
    this.heads();
    this.body = make("tbody", { role: "rowgroup" });
    this.count = make("p", { class: "count", role: "status" });
    this.more = make("button", { type: "button", class: "more", on: { click: () => this.grow() } });
    const table = make("table", { class: "tracks", role: "table", "aria-rowcount": this.data.rows },
      make("thead", { role: "rowgroup" }, this.head), this.body);
    this.place.append(this.tools(), ...this.legend(), make("div", { class: "scroll" }, table), this.more);
    new IntersectionObserver((seen) => !jumped && seen.some((one) => one.isIntersecting) && this.grow(),
      { rootMargin: "0px 0px 600px" }).observe(this.more);
    addEventListener("beforeprint", () => { while (this.drawn < this.rows.length) this.grow(); });
  }

  heads() {
    this.head.replaceChildren(...this.visible.map((column) => {
      const button = make("button", { type: "button", on: { click: () => this.sort(column.key) } }, column.title);
      const numeric = KINDS[column.kind].numeric ? "number" : "";
      return make("th", { scope: "col", role: "columnheader", "data-key": column.key, class: numeric }, button);
    }));
  }

  /** Where some columns have no place at first: a box for each. */
  chooser() {
    const all = this.columns.filter((one) => !["name", "pieces"].includes(one.kind));
    if (all.every((one) => one.shown)) return null;
    const summary = make("summary", {});
    const told = () => { summary.textContent = `Columns: ${all.filter((one) => one.shown).length} of ${all.length}`; };
    const boxes = all.map((column) => {
      const box = make("input", { type: "checkbox", "data-column": column.key, on: { change: () => {
        column.shown = box.checked;
        told();
        this.heads();
        this.apply();
      } } });
      box.checked = column.shown;
      return make("label", {}, box, column.title);
    });
    told();
    return make("details", { class: "columns" }, summary, make("div", {}, ...boxes));
  }

  tools() {
    const search = make("input", { type: "search", autocomplete: "off", spellcheck: "false",
      on: { input: () => { this.words = search.value; this.apply(); } } });
    const made = make("div", { class: "tools" }, make("label", { class: "search" }, "Search", search));
    for (const column of this.columns.filter((one) => one.kind === "choice" && one.filter)) {
      const select = make("select", { "data-filter": column.key,
        on: { change: () => { this.chosen.set(column.key, select.value); this.apply(); } } },
      make("option", { value: "-" }, "all"));
      column.labels.forEach((label, index) => select.append(make("option", { value: String(index) }, label || "(none)")));
      made.append(make("label", {}, column.title, select));
    }
    this.order = make("select", { on: { change: () => this.sort(this.order.value, true) } },
      make("option", { value: " " }, "as it is given"));
    for (const column of this.columns.filter((one) => one.kind !== "pieces")) {
      for (const way of ["ascending", "descending"]) {
        this.order.append(make("option", { value: `${column.key} ${way}` }, `${column.title}, ${way}`));
      }
    }
    made.append(make("label", { class: "narrow" }, "Sort by", this.order), this.chooser() || "", this.count);
    return made;
  }

  legend() {
    const pieces = this.column("pieces");
    if (!pieces) return [];
    const list = make("ul", { class: "legend", "aria-label": "colours of the timelines" });
    pieces.labels.forEach((label, index) => list.append(make("li", {}, key(index, pieces.labels.length), label)));
    return [list];
  }

  sort(name, both) {
    if (both) {
      const at = name.lastIndexOf(" ");
      this.sorted = [name.slice(0, at), name.slice(at + 1)];
    } else {
      const again = this.sorted[0] === name && this.sorted[1] === "ascending";
      this.sorted = [name, again ? "descending" : "ascending"];
    }
    this.apply();
  }

  haystack(row) {
    this.texts ??= new Array(this.data.rows);
    this.texts[row] ??= this.columns.map((one) => KINDS[one.kind].text(one, row)).join("\n").toLowerCase();
    return this.texts[row];
  }

  apply() {
    const words = this.words.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = [...this.chosen].filter(([, value]) => value !== "-")
      .map(([name, value]) => [this.columns.find((one) => one.key === name).values, Number(value)]);
    const rows = [];
    for (let row = 0; row < this.data.rows; row += 1) {
      if (chosen.every(([values, value]) => values[row] === value)
        && (!words.length || words.every((word) => this.haystack(row).includes(word)))) rows.push(row);
    }
    const [name, way] = this.sorted;
    const column = this.columns.find((one) => one.key === name);
    if (column) this.arrange(rows, column, way === "descending" ? -1 : 1);
    for (const cell of this.head.children) {
      cell.setAttribute("aria-sort", cell.dataset.key === name ? way : "none");
    }
    this.order.value = `${name} ${way}`;
    this.rows = rows;
    this.drawn = 0;
    this.body.replaceChildren();
    this.grow();
  }

  /** Rows without a value come last, whichever way. */
  arrange(rows, column, sign) {
    const kind = KINDS[column.kind];
    const keys = new Array(this.data.rows);
    for (const row of rows) {
      const found = kind.order ? kind.order(column, row) : kind.text(column, row);
      keys[row] = found === "" ? null : found;
    }
    const compare = kind.order ? (a, b) => a - b : collator.compare;
    rows.sort((a, b) => {
      if (keys[a] === null || keys[b] === null) return (keys[a] === null) - (keys[b] === null) || a - b;
      return sign * compare(keys[a], keys[b]) || a - b;
    });
  }

  grow() {
    const part = document.createDocumentFragment();
    const end = Math.min(this.drawn + STEP, this.rows.length);
    for (; this.drawn < end; this.drawn += 1) part.append(this.line(this.rows[this.drawn]));
    this.body.append(part);
    const [there, all] = [this.rows.length, this.data.rows].map((n) => n.toLocaleString("en"));
    const noun = this.data.rows === 1 ? this.data.noun.replace(/s$/, "") : this.data.noun;
    this.count.textContent = there === all ? `${all} ${noun}` : `${there} of ${all} ${noun}`;
    const left = this.rows.length - this.drawn;
    this.more.hidden = !left;
    this.more.textContent = `Show ${Math.min(STEP, left)} more of ${left.toLocaleString("en")}`;
  }

  line(row) {
    const made = make("tr", { role: "row", "data-row": row });
    for (const column of this.visible) {
      if (column.kind === "name") {
        made.append(this.name(column, row, made));
        continue;
      }
      const kind = KINDS[column.kind];
      const content = kind.cell(column, row);
      const names = [column.kind === "text" && !column.short ? "text" : "", kind.numeric ? "number" : "", content === "" ? "empty" : ""];
      made.append(make("td", { role: "cell", class: names.filter(Boolean).join(" "), "data-title": column.title }, content));
    }
    return made;
  }

  name(column, row, line) {
    const text = column.values[row];
    const toggle = make("button", { type: "button", "aria-expanded": "false", "aria-label": `details of ${text}`,
      on: { click: () => this.toggle(row, line, toggle) } }, "+");
    const play = this.data.sounds[row] && make("button", { type: "button", "aria-label": `play ${text}`,
      on: { click: () => this.play(row, line, toggle) } }, "\u25B6");
    const picture = this.data.pictures[row] && make("img", { class: "picture", alt: `spectrogram of ${text}`,
      src: `data:image/png;base64,${this.data.pictures[row]}` });
    const failure = this.data.failures[row] && make("small", { class: "failed" }, this.data.failures[row]);
    return make("td", { role: "cell", class: "name", "data-title": column.title },
      make("div", { class: "row" }, toggle, play || null,
        make("div", {}, make("span", {}, ...broken(text)), picture || failure || null, this.strip(row))));
  }

  /** The pieces one after the other, as wide as they last. */
  strip(row) {
    const column = this.column("pieces");
    const values = column?.values[row] ?? [];
    if (!values.length) return null;
    const made = make("div", { class: "strip", "aria-hidden": "true" });
    let total = column.lengths[row] || 0;
    for (let at = 0; at < values.length; at += 4) total = Math.max(total, values[at] + values[at + 1]);
    let end = 0;
    for (let at = 0; at < values.length; at += 4) {
      const [start, seconds, label] = values.slice(at, at + 3);
      const piece = make("i", { title: `${clock(start)} ${column.labels[label]}` });
      piece.style.background = colour(label, column.labels.length);
      piece.style.marginLeft = `${(100 * Math.max(0, start - end)) / total}%`;
      piece.style.width = `${(100 * (start + seconds - Math.max(start, end))) / total}%`;
      end = start + seconds;
      made.append(piece);
    }
    return made;
  }

  toggle(row, line, button) {
    const there = line.nextElementSibling?.classList.contains("detail") ? line.nextElementSibling : null;
    if (there) there.remove();
    else line.after(this.detail(row));
    button.setAttribute("aria-expanded", String(!there));
    button.textContent = there ? "+" : "\u2212";
  }

  detail(row) {
    const texts = make("dl", {});
    for (const column of this.columns.filter((one) => !["shares", "pieces"].includes(one.kind))) {
      const text = KINDS[column.kind].text(column, row);
      if (text !== "") texts.append(make("dt", {}, column.title), make("dd", {}, text));
    }
    const parts = make("div", { class: "known" }, texts);
    const all = this.column("shares");
    if (all?.values[row].length) parts.append(make("div", {}, shares(all, row, Infinity)));
    const pieces = this.column("pieces");
    const values = pieces?.values[row] ?? [];
    if (values.length) {
      const list = make("ol", { "aria-label": "timeline", tabindex: "0" });
      for (let at = 0; at < values.length; at += 4) {
        list.append(make("li", {}, key(values[at + 2], pieces.labels.length),
          `${clock(values[at])}  ${pieces.labels[values[at + 2]]} ${(values[at + 3] / 1000).toFixed(2)}`));
      }
      parts.append(list);
    }
    return make("tr", { class: "detail", role: "row" },
      make("td", { role: "cell", colspan: this.visible.length }, parts));
  }

  play(row, line, button) {
    if (!line.nextElementSibling?.classList.contains("detail")) this.toggle(row, line, button);
    const cell = line.nextElementSibling.firstElementChild;
    for (const other of document.querySelectorAll("audio")) other.pause();
    let player = cell.querySelector("audio");
    if (!player) {
      player = make("audio", { controls: "", preload: "none" });
      const said = make("p", { class: "failed", role: "status" });
      player.addEventListener("error", () => { said.textContent = "This browser cannot play it, or it is not there any more."; });
      player.setAttribute("controls", "controls");
      player.src = this.data.sounds[row];
      cell.prepend(player, said);
    }
    player.play().catch(() => {});
  }
}

for (const place of document.querySelectorAll("[data-tracks]")) {
  new Tracks(place, JSON.parse(document.getElementById(place.dataset.tracks).textContent));
}
