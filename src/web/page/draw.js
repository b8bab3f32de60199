// The parts of the screen, each drawn from its share of a View.
//
// What arrives: values of the View, all of them hostile. What leaves: elements.
// What is promised: data reaches the page only as text or as a checked number, and no markup is ever built
// from it; whatever is left out for want of room is counted on the screen ("and 5 more").

import { fit } from "/fit.js";

const TEXT_MAX = 400;
const UNITS_MAX = 300;
const ALARMS_MAX = 4;
const CHIPS_MAX = 8;

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

// ---------------------------------------------------------------- text and elements

// Control characters and bidirectional overrides could make a scanned serial look like another one:
// each is shown as U+FFFD. Marks without such power (LRM, RLM, joiners) are left for the scripts that need them.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

function clean(value) {
  if (value === null || value === undefined) return "";
  const text = String(value);
  const cut = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
  return cut.replace(HIDDEN, "\ufffd");
}

// The only maker of elements: content is a text or other elements made here.
export function el(tag, className, ...content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const part of content) {
    if (part instanceof Node) {
      node.append(part);
    } else if (part !== null && part !== undefined && part !== false) {
      node.append(clean(part));
      // Each piece of data finds its own direction, and cannot turn its neighbours around.
      node.dir = "auto";
    }
  }
  return node;
}

const SIGNS = new Set(["check", "pause", "cross", "question", "info", "alert", "await", "next", "scanner", "printer", "sound"]);

export function sign(name) {
  return drawn(`sign-${SIGNS.has(name) ? name : "info"}`, "sign");
}

function drawn(id, className) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#${id}`);
  svg.append(use);
  return svg;
}

// The picture of a printer's fault; a printer that says nothing more has a sign only.
function faultPicture(fault, otherwise) {
  const id = `fault-${/^[a-z_]{1,40}$/.exec(fault?.code)?.[0]}`;
  return $(id) ? drawn(id, "sign picture") : sign(otherwise);
}

const KIND_SIGN = { accept: "check", hold: "pause", reject: "cross", ask: "question", info: "info", error: "alert" };
const kindOf = (kind) => (Object.hasOwn(KIND_SIGN, kind) ? kind : "info");
export const list = (value) => (Array.isArray(value) ? value : []);
const count = (value) => (Number.isFinite(value) ? value : 0);
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const joined = (...parts) => parts.filter((part) => part !== null && part !== undefined && part !== "").join("  ·  ");

// The station's own wall time stands in the text; the browser's time zone must not change it.
const hms = (stamp) => /T(\d\d:\d\d:\d\d)/.exec(String(stamp))?.[1] ?? "--:--:--";

// ---------------------------------------------------------------- the parts of the screen

export function drawTop(station, scanners, printers) {
  $("station").textContent = clean(station.id);
  $("program").textContent = clean(station.program);
  document.title = `${clean(station.id)} - backdock`;

  const chips = [...scanners.map(scannerChip), ...printers.map(printerChip)];
  if (scanners.length === 0) chips.unshift(chip("scanner", "scanner", "none set up", "bad"));
  if (printers.length === 0) chips.push(chip("printer", "printer", "none set up", "bad"));
  chips.sort((a, b) => ("loud" in b.dataset) - ("loud" in a.dataset));
  if (chips.length > CHIPS_MAX) {
    const others = chips.length - CHIPS_MAX + 1;
    chips.length = CHIPS_MAX - 1;
    chips.push(el("li", "chip", el("span", "", `and ${others} more`)));
  }
  $("devices").replaceChildren(...chips);
}

function chip(signName, name, state, loud) {
  const node = el("li", "chip", sign(loud ? (loud === "bad" ? "cross" : "alert") : signName), el("b", "cut", name), el("span", "cut", state));
  if (loud) node.dataset.loud = loud;
  return node;
}

const scannerChip = (s) => chip("scanner", s.name, s.state === "present" ? "ready" : s.state, s.state === "present" ? null : "bad");

function printerChip(p) {
  const waiting = count(p.waiting) > 0 ? `${p.waiting} waiting` : null;
  if (p.state === "ready" || p.state === "busy") return chip("printer", p.name, joined(p.state === "busy" ? "printing" : "ready", waiting), null);
  if (p.state === "attention") return chip("printer", p.name, p.fault?.title ?? "attention", "warn");
  return chip("printer", p.name, p.state, "bad");
}

export function drawAlarms(scanners, printers, doubts) {
  const alarms = [];
  if (doubts.length > 0) {
    const d = doubts[0];
    const what = joined(`Label ${clean(d.job)} ${clean(d.label)}`, d.serial && `SN ${d.serial}`, d.rma, d.known);
    alarms.push(alarm("doubt", sign("question"), doubts.length === 1 ? "1 label in doubt" : `${doubts.length} labels in doubt`, what, d.next));
  }
  for (const p of printers) {
    const waiting = count(p.waiting) > 0 ? ` (${plural(p.waiting, "label")} waiting)` : "";
    if (p.state === "attention") alarms.push(alarm("warn", faultPicture(p.fault, "alert"), `Printer ${clean(p.name)}: ${clean(p.fault?.title ?? "needs attention")}`, null, clean(p.fault?.instruction ?? "Look at the printer's own display.") + waiting));
    else if (p.state !== "ready" && p.state !== "busy") alarms.push(alarm("bad", faultPicture(p.fault, "cross"), `Printer ${clean(p.name)} is ${clean(p.state)}`, null, clean(p.fault?.instruction ?? "Check that it is switched on and its cable is in.") + waiting));
  }
  for (const s of scanners) {
    if (s.state === "present") continue;
    const what = joined(s.reason, s.since && `since ${hms(s.since)}`);
    alarms.push(alarm("bad", sign("cross"), `Scanner ${clean(s.name)} is ${clean(s.state)}`, null, what || "Check its cable or its cradle."));
  }
  if (alarms.length > ALARMS_MAX) {
    const others = alarms.length - ALARMS_MAX + 1;
    alarms.length = ALARMS_MAX - 1;
    alarms.push(alarm("bad", sign("alert"), `and ${plural(others, "more device")}`, null, "See the signs at the top of the screen."));
  }
  $("alarms").toggleAttribute("data-many", alarms.length > 2);
  $("alarms").replaceChildren(...alarms);
}

function alarm(level, picture, title, what, next) {
  const node = el("div", "alarm", el("div", "alarm-sign", picture),
    el("div", "alarm-text", el("b", "cut", title), what ? el("p", "", what) : null, next ? el("p", "do", next) : null));
  node.dataset.level = level;
  return node;
}

export function drawPanel(screen, box, doubts) {
  const panel = $("panel");
  if (!screen) {
    panel.dataset.kind = "idle";
    panel.replaceChildren(box ? idle(box.pending ? `Scan the ${clean(box.pending.wants)}` : "Scan the next unit", "Serial and MAC in either order, or DONE when the box is empty.")
      : idle("Scan an RMA number", "Or a unit: its serial and its MAC, in either order."));
    return;
  }
  const kind = kindOf(screen.kind);
  panel.dataset.kind = kind;
  const reasons = list(screen.why).map(reason);
  const why = el("ul", "why", ...reasons, el("li", "more", ""));
  const parts = [
    el("div", "verdict", sign(SIGNS.has(screen.symbol) ? screen.symbol : KIND_SIGN[kind]), el("p", "word", screen.word)),
    screen.title ? el("p", "title clamp", screen.title) : null,
    el("div", "reasons", why, Number.isSafeInteger(screen.job) ? labelPicture(screen.job, doubts) : null),
    el("div", "source", el("span", "cut", joined(hms(screen.at), screen.scanner)), el("span", "cut mono", screen.scanned ?? ""),
      el("span", "cut rules", list(screen.rules).map(clean).join(" "))),
    screen.next ? el("div", "next", sign("next"), el("p", "", screen.next)) : null,
  ];
  panel.replaceChildren(...parts.filter(Boolean));
}

// A rule id in brackets and a date are never broken at their hyphens.
function reason(line) {
  const pieces = clean(line).split(/(\([A-Z0-9][A-Z0-9, -]{0,24}\)|\d{4}-\d\d-\d\d)/);
  return el("li", "", ...pieces.map((piece, i) => (i % 2 === 1 ? el("span", "", piece) : piece)));
}

function labelPicture(job, doubts) {
  const picture = document.createElement("img");
  const caption = el("figcaption", "", `Label ${job}`);
  const figure = el("figure", "label", picture, caption);
  picture.alt = `Picture of label ${job}`;
  picture.addEventListener("load", fit);
  picture.addEventListener("error", () => {
    picture.remove();
    caption.textContent = `Label ${job}: no picture`;
    fit();
  });
  if (doubts.some((d) => d.job === job)) {
    figure.dataset.doubt = "";
    caption.textContent = `Label ${job}: in doubt`;
  }
  picture.src = `/label/${job}.png`;
  return figure;
}

// A barcode and the beam going over it.
function idle(word, hint) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 320 160");
  svg.setAttribute("aria-hidden", "true");
  const rect = (className, x, y, w, h, rx) => {
    const node = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ class: className, x, y, width: w, height: h, rx: rx ?? 0 })) node.setAttribute(key, value);
    svg.append(node);
  };
  rect("tape", 2, 2, 316, 156, 10);
  let x = 30;
  for (const [i, w] of [4, 4, 4, 8, 8, 4, 12, 4, 4, 8, 4, 12, 8, 4, 4, 4, 8, 8, 4, 4, 12, 8, 4, 8, 4, 4, 8, 4, 12, 4, 8, 4, 4, 8, 12, 4, 8, 4, 12, 4, 4].entries()) {
    if (i % 2 === 0) rect("bar", x, 26, w, 108);
    x += w;
  }
  rect("beam", 10, 77, 300, 6, 3);
  return el("div", "idle", svg, el("p", "word", word), el("p", "hint", hint));
}

export function drawBox(box) {
  const card = $("box");
  card.hidden = !box;
  if (!box) return card.replaceChildren();
  const got = count(box.received);
  const want = count(box.expected);
  const fill = el("i", "");
  fill.style.width = `${want > 0 ? Math.min(100, Math.round((100 * got) / want)) : 0}%`;
  const units = list(box.units);
  const rest = el("p", "rest", "");
  rest.dataset.beyond = Math.max(0, units.length - UNITS_MAX);
  card.replaceChildren(
    el("div", "box-head",
      el("div", "box-who", el("b", "cut mono", box.rma), el("p", "cut", box.customer), el("p", "cut", joined(box.ticket, box.channel, box.badge && `badge ${box.badge}`))),
      el("div", "count", el("b", "", got), el("span", "", ` / ${want}`), el("p", "", "received"))),
    el("div", "meter", fill),
    ...(box.pending ? [el("div", "pending", sign("question"), el("div", "", el("b", "clamp", `Now scan the ${clean(box.pending.wants)}`), el("span", "cut mono", box.pending.serial ?? box.pending.mac)))] : []),
    el("ul", "units", ...units.slice(0, UNITS_MAX).map(unitRow)),
    rest,
  );
}

const STATE_SIGN = { awaited: "await", received: "check", held: "pause" };

function unitRow(unit) {
  const id = Array.from(clean(unit.serial ?? unit.mac));
  const row = el("li", "unit", sign(STATE_SIGN[unit.state] ?? "info"),
    el("div", "unit-id", el("b", "cut mono", el("span", "head", id.slice(0, -4).join("")), el("span", "tail", id.slice(-4).join(""))),
      el("span", "what cut", joined(unit.brand, unit.model))),
    el("b", "verb cut", unit.verdict ?? unit.state));
  row.dataset.state = clean(unit.state);
  return row;
}

export function drawFeed(feed) {
  $("feed").replaceChildren(...feed.slice(0, 12).map((line) => {
    const kind = kindOf(line.kind);
    const row = el("li", "", sign(KIND_SIGN[kind]), el("b", "cut", line.word), el("time", "", hms(line.at)), el("span", "cut", line.text));
    row.dataset.kind = kind;
    return row;
  }));
}

export function drawToday(today) {
  $("today").replaceChildren(...["scans", "receipts", "holds", "labels"].map((key) => el("div", "", el("dd", "cut", count(today?.[key])), el("dt", "", key))));
}
