// The kiosk's front door: what the daemon says, put on the screen, and one tone for each new verdict.
//
// What arrives: GET /api/view and the event stream /events (`view`: a whole View; `beat`: {now}).
// What leaves:  calls of draw.js, fit.js and tones.js. This page decides nothing and sends nothing.
// What is promised:
//  - when the daemon is not heard for STALE_MS the page says so over everything, and recovers by itself;
//  - a tone sounds once per new screen and never because a connection came back;
//  - a view that cannot be read is never half shown without a warning over it.

import { $, drawAlarms, drawBox, drawFeed, drawPanel, drawToday, drawTop, list } from "/draw.js";
import { fit } from "/fit.js";
import { play, soundChip, startAudio } from "/tones.js";

const STALE_MS = 6000;
const RECONNECT_MS = 5000;
const FETCH_MS = 4000;

// ---------------------------------------------------------------- what the daemon says

const drawn = new Map();
let view = null;
let version = null;
let heard = performance.now();
let unreadable = false;
let wall = null;
let shown = null;

// Draws a part only when what it shows has changed: a picture is not loaded again because a counter moved.
function part(name, draw, ...data) {
  const key = JSON.stringify(data);
  if (drawn.get(name) === key) return;
  draw(...data);
  drawn.set(name, key);
}

// `quiet`: the view is news to this page only (first load, reconnect), not an event at the dock.
function show(next, quiet) {
  if (version !== null && next.station.version !== version) return location.reload();
  version = next.station.version;
  view = next;
  setClock(next.now);
  const doubts = list(next.in_doubt);
  part("top", drawTop, next.station, list(next.scanners), list(next.printers));
  part("alarms", drawAlarms, list(next.scanners), list(next.printers), doubts);
  part("panel", drawPanel, next.screen, next.screen ? null : next.box, next.screen ? doubts : []);
  part("box", drawBox, next.box);
  part("feed", drawFeed, list(next.feed));
  part("today", drawToday, next.today);
  soundChip();
  fit();

  const screen = next.screen;
  const now = screen && JSON.stringify([screen.at, screen.kind, screen.word, screen.title, screen.scanner, screen.scanned]);
  if (now && now !== shown) {
    flash();
    if (!quiet) play(screen.tone);
  }
  shown = now;
}

// Two equal verdicts in a row are two events: the panel blinks once so that the second one is seen.
function flash() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  $("panel").animate([{ opacity: 0.25 }, { opacity: 1 }], { duration: 260, easing: "ease-out" });
}

function receive(text, quiet) {
  try {
    show(JSON.parse(text), quiet);
    unreadable = false;
  } catch (error) {
    // Half a screen is worse than none: say that it is not to be trusted until a whole one arrives.
    console.error("view not understood:", error);
    unreadable = true;
    drawn.clear();
  }
  watch();
}

// ---------------------------------------------------------------- clock and watchdog

function setClock(stamp) {
  const digits = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)/.exec(String(stamp));
  if (!digits) return;
  const [year, month, day, hour, minute, second] = digits.slice(1).map(Number);
  wall = { at: Date.UTC(year, month - 1, day, hour, minute, second), read: performance.now() };
}

const wallText = (ms) => new Date(ms).toISOString();

function tick() {
  if (!wall) return;
  const text = wallText(wall.at + performance.now() - wall.read);
  say("time", text.slice(11, 19));
  say("date", text.slice(0, 10));
}

// Writes only what is new: a live region is read aloud again whenever it is written.
function say(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

// Only the stream is a sign of life: an answered GET does not mean that the next scan would be shown.
function alive() {
  heard = performance.now();
  watch();
}

function watch() {
  const stale = unreadable || performance.now() - heard > STALE_MS;
  $("app").toggleAttribute("data-stale", stale);
  $("stale").hidden = !stale;
  if (!stale) return tick();
  // The station's time at the last sign of life, also when that was a beat that carried no time.
  const since = wall ? wallText(wall.at + heard - wall.read).slice(11, 19) : "--:--:--";
  say("stale-word", view ? `STALE since ${since}` : "NO CONNECTION");
  say("stale-why", view ? "what you see may be old" : "the station does not answer");
  say("stale-next", unreadable ? "The station's answer could not be read. Act on no verdict; tell your supervisor."
    : "Wait: this page comes back by itself. If it stays, check the station computer or tell your supervisor.");
}

// ---------------------------------------------------------------- the line to the daemon

let stream = null;
let opened = 0;

function connect() {
  stream?.close();
  stream = new EventSource("/events");
  opened = performance.now();
  let first = true;
  const mine = stream;

  stream.addEventListener("open", () => {
    // The browser may have reconnected by itself; what happened meanwhile is shown, but not sounded.
    first = true;
    refresh(() => mine === stream && first, () => { first = false; });
  });
  stream.addEventListener("view", (event) => {
    receive(event.data, first);
    first = false;
    alive();
  });
  stream.addEventListener("beat", (event) => {
    try {
      setClock(JSON.parse(event.data).now);
    } catch {
      return; // a beat that cannot be read is no sign of life
    }
    alive();
  });
}

// The whole state after a (re)connect. A view that came over the stream meanwhile is newer and wins.
async function refresh(wanted, done) {
  try {
    const answer = await fetch("/api/view", { cache: "no-store", signal: AbortSignal.timeout(FETCH_MS) });
    const text = answer.ok ? await answer.text() : null;
    if (text === null || !wanted()) return;
    receive(text, true);
    done();
  } catch {
    // Not answered: the watchdog speaks, and the next connection asks again.
  }
}

setInterval(() => {
  watch();
  const now = performance.now();
  if (now - heard > STALE_MS && now - opened > RECONNECT_MS) connect();
}, 250);
addEventListener("resize", fit);
startAudio();
soundChip();
connect();
