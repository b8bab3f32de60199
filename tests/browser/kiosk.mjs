// The kiosk page in a real browser, against a running daemon.
//
//   npm install --no-package-lock && node kiosk.mjs http://127.0.0.1:8440 /tmp/kiosk
//
// What arrives: the daemon's base URL, a folder for the pictures, and from the environment
//   CHROMIUM    the browser (default /usr/bin/chromium)
//   DAEMON_PID  the daemon's process; it is stopped and continued to see STALE come and go.
// What leaves:  one line per check, pictures, `N passed, N failed` as the last line, exit code 1 if any failed.
// Two sorts of checks: those that look at the live daemon, and those that put a view of their own between the
// daemon's page and its line (hostile data, every kind of verdict, tones), since no daemon says all that on demand.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, out] = process.argv.slice(2);
if (!base || !out) {
  console.error("usage: node kiosk.mjs BASE_URL OUTPUT_DIR");
  process.exit(2);
}
const SIZES = [[1280, 800], [1024, 768], [1920, 1080], [800, 1280]];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"];
const PIXEL = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj4WQAAAABJRU5ErkJggg==", "base64");

let passed = 0;
let failed = 0;
async function check(name, act) {
  try {
    const note = await act();
    passed += 1;
    console.log(`ok      ${name}${note ? `: ${note}` : ""}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}
function must(truth, message) {
  if (!truth) throw new Error(message);
}
// Two frames: the resize has been heard, and what it led to has been drawn.
const painted = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const picture = (page, name) => page.screenshot({ path: join(out, `${name}.png`) });
const url = (path) => new URL(path, base).href;

// ---- what is looked at on the page

// Elements of which some part that is not cut off by a container lies outside the viewport.
const outside = (page) => page.evaluate(() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) found.push(`page is ${root.scrollWidth}x${root.scrollHeight}`);
  for (const node of document.querySelectorAll("#app, #app *")) {
    let { left, top, right, bottom } = node.getBoundingClientRect();
    for (let up = node.parentElement; up && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflow === "visible") continue;
      const cut = up.getBoundingClientRect();
      [left, top, right, bottom] = [Math.max(left, cut.left), Math.max(top, cut.top), Math.min(right, cut.right), Math.min(bottom, cut.bottom)];
    }
    if (right - left < 1 || bottom - top < 1) continue;
    if (left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1) {
      found.push(`${node.tagName.toLowerCase()}.${node.getAttribute("class")} at ${[left, top, right, bottom].map(Math.round)}`);
    }
  }
  // Lists end with a whole line.
  for (const list of document.querySelectorAll("#feed, .units, .why")) {
    const end = list.getBoundingClientRect().bottom;
    const halved = [...list.children].find((line) => !line.hidden && line.getBoundingClientRect().bottom > end + 2);
    if (halved) found.push(`a line of ${list.id || list.className} is cut: ${halved.textContent.slice(0, 30)}`);
  }
  // The parts a worker must always see must not be squeezed away by the others.
  for (const must of [".top", ".panel", ".word"]) {
    const seen = document.querySelector(must)?.getBoundingClientRect();
    if (!seen || seen.width < 100 || seen.height < 40) found.push(`${must} is not to be seen`);
  }
  return found;
});

// WCAG contrast of an element's text with the nearest background colour behind it.
const contrast = (page, selector) => page.evaluate((selector) => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\d.]+/g).map(Number).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let node = document.querySelector(selector);
  const text = light(getComputedStyle(node).color);
  while (/^rgba\(.*, 0\)$/.test(getComputedStyle(node).backgroundColor)) node = node.parentElement;
  const back = light(getComputedStyle(node).backgroundColor);
  return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
}, selector);

// ---- a page whose line to the daemon is ours

const stamp = (ms) => new Date(Date.UTC(2026, 2, 2, 9, 14, 5) + ms).toISOString().replace("Z", "-06:00");

function screen(kind, tone, word, more = {}) {
  return { kind, word, symbol: { accept: "check", hold: "pause", reject: "cross", ask: "question", info: "info", error: "alert" }[kind],
    title: "Yealink T46S  SN 3146118000001", why: ["day 30 of 30 since 2026-01-31 (A-13)", "no deductible (A-25)"],
    next: "Put the phone in the blue tote. Scan the next unit, or DONE.", tone, at: stamp(0), scanner: "gun", scanned: "3146118000001", job: null, rules: ["A-13"], ...more };
}

function views(live, changes) {
  return changes.map((change, i) => ({ ...live, seq: live.seq + i, screen: null, in_doubt: [], ...change }));
}

// Opens the page with the given views as its event stream, one after the other on each connection.
// The stream ends after the last view; the browser connects again after `retry` ms and hears them all once more.
async function staged(views, { retry = 60000, mute = false, ...options } = {}) {
  const page = await newPage({ viewport: { width: 1280, height: 800 }, ...options });
  page.notes = { errors: [], connections: 0 };
  page.on("console", (message) => message.type() === "error" && page.notes.errors.push(message.text()));
  page.on("pageerror", (error) => page.notes.errors.push(String(error)));
  page.on("dialog", (dialog) => { page.notes.errors.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
  await page.addInitScript(() => {
    // Notes are counted where the page makes them; nothing is played.
    window.notes = [];
    const param = () => ({ value: 0, setValueAtTime() {}, linearRampToValueAtTime() {} });
    const node = () => ({ connect: (to) => to, start() { window.notes.push(`${this.type} ${this.frequency.value}`); }, stop() {}, frequency: param(), gain: param() });
    window.AudioContext = class extends EventTarget {
      state = "running"; currentTime = 0; destination = {};
      resume() { return Promise.resolve(); }
      createOscillator() { return node(); }
      createGain() { return node(); }
    };
  });
  await page.route("**/label/*.png", (route) => route.fulfill({ contentType: "image/png", body: PIXEL }));
  await page.route("**/api/view", (route) => route.fulfill({ json: views[0] }));
  await page.route("**/events", (route) => {
    page.notes.connections += 1;
    const body = mute ? "" : views.map((view) => `event: view\ndata: ${JSON.stringify(view)}\n\n`).join("");
    return route.fulfill({ contentType: "text/event-stream", body: `retry: ${retry}\n\n${body}` });
  });
  await page.goto(base);
  return page;
}

// ---- the checks

await mkdir(out, { recursive: true });
const profile = await mkdtemp(join(tmpdir(), "kiosk-browser-"));
const context = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS, viewport: null });
async function newPage({ viewport, reducedMotion }) {
  const page = await context.newPage();
  await page.setViewportSize(viewport);
  if (reducedMotion) await page.emulateMedia({ reducedMotion });
  return page;
}
const live = await (await fetch(url("/api/view"))).json();

const page = await newPage({ viewport: { width: 1280, height: 800 } });
const errors = [];
page.on("console", (message) => message.type() === "error" && errors.push(`${message.text()} ${message.location().url}`));
page.on("pageerror", (error) => errors.push(String(error)));

await check("the page loads and its policy allows nothing from elsewhere", async () => {
  const answer = await page.goto(base);
  must(answer.ok(), `status ${answer.status()}`);
  const policy = answer.headers()["content-security-policy"] ?? "";
  must(policy.includes("default-src 'self'") && !policy.includes("unsafe"), `Content-Security-Policy is "${policy}"`);
  must(await page.getAttribute("html", "lang") === "en", "no lang");
});

await check("the word on the panel is the word of /api/view", async () => {
  const seen = await page.waitForFunction(async () => {
    const view = await (await fetch("/api/view")).json();
    const word = document.querySelector("#panel .word")?.textContent;
    const kind = document.querySelector("#panel").dataset.kind;
    const same = view.screen ? word === view.screen.word && kind === view.screen.kind : kind === "idle" && word?.startsWith("Scan");
    return same && document.querySelector("#station").textContent === view.station.id && word;
  }, null, { timeout: 8000, polling: 200 });
  return seen.jsonValue();
});

await check("the clock follows the station's beat", async () => {
  const before = await page.textContent("#time");
  must(/^\d\d:\d\d:\d\d$/.test(before), `clock shows ${before}`);
  await page.waitForFunction((before) => document.querySelector("#time").textContent !== before, before, { timeout: 3000 });
});

for (const [width, height] of SIZES) {
  await check(`live page stays inside ${width}x${height}`, async () => {
    await page.setViewportSize({ width, height });
    await painted(page);
    await picture(page, `live-${width}x${height}`);
    const found = await outside(page);
    must(found.length === 0, found.slice(0, 4).join("; "));
  });
}
await page.setViewportSize({ width: 1280, height: 800 });

await check("no error in the console", async () => must(errors.length === 0, errors.slice(0, 3).join("; ")));

if (process.env.DAEMON_PID) {
  const pid = Number(process.env.DAEMON_PID);
  let from = 0;
  await check("a stopped daemon makes the page say STALE", async () => {
    // Long enough after the last view that a page which counts from views, not from beats, is found out.
    await page.waitForTimeout(8000);
    const clock = await page.textContent("#time");
    process.kill(pid, "SIGSTOP");
    from = performance.now();
    await page.waitForSelector("#stale", { state: "visible", timeout: 15000 });
    const text = await page.textContent("#stale");
    must(/STALE since \d\d:\d\d:\d\d/.test(text) && text.includes("what you see may be old"), text);
    const seconds = (time) => time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    const since = /since (\d\d:\d\d:\d\d)/.exec(text)[1];
    const apart = (seconds(clock) - seconds(since) + 86400) % 86400;
    must(apart <= 4 || apart >= 86398, `stopped at ${clock}, but the page says ${since}`);
    await picture(page, "stale");
    return `after ${((performance.now() - from) / 1000).toFixed(1)} s`;
  });
  await check("the page recovers by itself when the daemon goes on", async () => {
    process.kill(pid, "SIGCONT");
    from = performance.now();
    await page.waitForSelector("#stale", { state: "hidden", timeout: 15000 });
    return `after ${((performance.now() - from) / 1000).toFixed(1)} s`;
  });
  process.kill(pid, "SIGCONT");
} else {
  console.log("skipped STALE: DAEMON_PID is not set");
}
await page.close();

const KINDS = [["accept", "good", "REPLACE"], ["hold", "hold", "HOLD"], ["reject", "bad", "RETURN TO SENDER"], ["ask", "ask", "SCAN MAC"], ["info", "info", "BOX OPEN"], ["error", "error", "NOT KNOWN"]];
const outlines = new Set();
const tunes = new Set();
for (const [kind, tone, word] of KINDS) {
  await check(`${kind}: word, outline of its own, contrast, one tone of its own`, async () => {
    const staging = await staged(views(live, [{}, { screen: screen(kind, tone, word) }]));
    await staging.waitForSelector(`#panel[data-kind="${kind}"]`);
    for (const [width, height] of [...SIZES, [1366, 768], [640, 480]]) {
      await staging.setViewportSize({ width, height });
      await painted(staging);
      const seen = await staging.$eval("#panel .word", (node) => ({ text: node.textContent, whole: !node.classList.contains("clamp") && node.style.overflowWrap === "normal" }));
      must(seen.text === word && seen.whole, `${width}x${height} shows ${JSON.stringify(seen)}`);
    }
    await staging.setViewportSize({ width: 1280, height: 800 });
    outlines.add(await staging.getAttribute("#panel .verdict use", "href"));
    for (const selector of [".word", ".why li", ".source", ".next p"]) {
      const ratio = await contrast(staging, `#panel ${selector}`);
      // The word is read from two metres (WCAG 2 AAA); the rest is read up close (AA).
      must(ratio >= (selector === ".word" ? 7 : 4.5), `${selector} has contrast ${ratio.toFixed(1)}`);
    }
    const notes = await staging.evaluate(() => window.notes);
    must(notes.length > 0, "no tone");
    tunes.add(notes.join());
    await staging.waitForTimeout(300);
    await picture(staging, `kind-${kind}`);
    must(staging.notes.errors.length === 0, staging.notes.errors.join("; "));
    await staging.close();
  });
}
await check("six kinds have six outlines and six tones", async () => must(outlines.size === 6 && tunes.size === 6, `${outlines.size} outlines, ${tunes.size} tones`));

await check("a tone sounds for a new screen, not for the same one, not for a reconnect", async () => {
  const one = screen("info", "info", "BOX OPEN");
  const staging = await staged(views(live, [{ screen: one }, { screen: one }]), { retry: 200 });
  await staging.waitForSelector('#panel[data-kind="info"]');
  const before = staging.notes.connections;
  while (staging.notes.connections < before + 3) await staging.waitForEvent("request", (request) => request.url().endsWith("/events"));
  const notes = await staging.evaluate(() => window.notes);
  must(notes.length === 0, `${notes.length} notes on reconnect`);
  await staging.close();
});

await check("hostile data stays text and stays inside, in every size", async () => {
  const bad = "<script>document.title='owned'</script><img src=x onerror=alert(1)>";
  const long = "W".repeat(300);
  const rtl = "\u0634\u0631\u0643\u0629 ".repeat(20);
  const cjk = "\u6771\u4eac\u96fb\u8a71".repeat(20);
  const unit = (serial, verdict) => ({ serial, mac: null, brand: bad, model: cjk, state: "awaited", verdict });
  const hostile = views(live, [{
    station: { ...live.station, program: bad },
    screen: screen("hold", "__proto__", long, { symbol: bad, title: bad, why: [bad, rtl, cjk, long, "a\u202eb\u0007c", "6", "7", "8"], next: long, scanned: bad, rules: [bad, long], job: 7 }),
    box: { rma: long, ticket: bad, customer: rtl, channel: bad, program: bad, expected: 3, received: 1, badge: bad, units: [unit(long, bad), unit(bad, long), unit("AB\u202eCD", null)], pending: { serial: long, mac: null, wants: bad } },
    scanners: [{ name: bad, state: "denied", reason: long, since: bad }],
    printers: [{ name: long, state: "attention", fault: { code: bad, title: bad, instruction: long }, waiting: 1e9, sent: 0, in_doubt: 0, odometer: null }],
    in_doubt: [{ job: 7, printer: bad, label: bad, rma: long, serial: bad, known: rtl, next: bad }],
    feed: Array.from({ length: 12 }, (_, i) => ({ at: bad, kind: i % 2 ? "constructor" : "accept", word: bad, text: long })),
  }]);
  const staging = await staged(hostile);
  await staging.waitForSelector('#panel[data-kind="hold"]');
  for (const [width, height] of SIZES) {
    await staging.setViewportSize({ width, height });
    await painted(staging);
    await picture(staging, `hostile-${width}x${height}`);
    const found = await outside(staging);
    must(found.length === 0, `${width}x${height}: ${found.slice(0, 3).join("; ")}`);
  }
  must(await staging.textContent("#panel .title") === bad, "the title is not the text that was sent");
  const state = await staging.evaluate(() => ({ scripts: document.scripts.length, pictures: [...document.images].map((i) => i.getAttribute("src")), title: document.title, override: document.body.textContent.includes("\u202e") }));
  must(state.scripts === 1 && state.pictures.every((src) => src === "/label/7.png") && state.title !== "owned", JSON.stringify(state));
  must(!state.override, "a bidirectional override reached the page");
  must(staging.notes.errors.length === 0, staging.notes.errors.join("; "));
  await staging.close();
});

await check("forty units and every device in trouble stay inside, in every size", async () => {
  const units = Array.from({ length: 40 }, (_, i) => ({ serial: `31461180${String(i).padStart(5, "0")}`, mac: null, brand: "Yealink", model: "T46S", state: i < 17 ? "received" : "awaited", verdict: null }));
  const staging = await staged(views(live, [{
    screen: screen("accept", "good", "REPLACE"),
    box: { rma: "R26D100007K", ticket: "T-1", customer: "Acme", channel: "direct", program: "p", expected: 40, received: 17, badge: "B7", units, pending: { serial: "3146118000018", mac: null, wants: "MAC" } },
    scanners: Array.from({ length: 6 }, (_, i) => ({ name: `gun${i}`, state: "lost", reason: "unplugged", since: stamp(0) })),
    printers: Array.from({ length: 4 }, (_, i) => ({ name: `zebra${i}`, state: i % 2 ? "lost" : "attention", fault: i % 2 ? null : { code: "paper_out", title: "Paper out", instruction: "Load labels, close the head, press FEED" }, waiting: 3, sent: 0, in_doubt: 1, odometer: null })),
    in_doubt: [1, 2, 3].map((job) => ({ job, printer: "zebra0", label: "unit", rma: "R26D100007K", serial: "1", known: "1 asked, 0 came out", next: "Look for the label, then scan YES or NO." })),
  }]));
  await staging.waitForSelector("#alarms .alarm");
  for (const [width, height] of SIZES) {
    await staging.setViewportSize({ width, height });
    await painted(staging);
    await staging.evaluate(() => Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations === 1).map((a) => a.finished)));
    await picture(staging, `crowded-${width}x${height}`);
    const found = await outside(staging);
    must(found.length === 0, `${width}x${height}: ${found.slice(0, 3).join("; ")}`);
  }
  const text = await staging.textContent("#alarms");
  must(text.includes("3 labels in doubt") && text.includes("Paper out"), text);
  await staging.close();
});

// Every fault that the page has a picture of, which a test of src/web holds against the faults of a printer.
await check("every fault shows its picture with its name and what to do, and is gone when it is mended", async () => {
  const printer = (state, fault) => ({ name: "zebra", state, fault, reason: "", waiting: 0, sent: 0, in_doubt: 0, odometer: 7 });
  const codes = [...(await (await fetch(url("/"))).text()).matchAll(/<symbol id="fault-([a-z_]+)"/g)].map((found) => found[1]);
  must(codes.length > 0, "the page has no pictures");
  // The first connection hears of the fault; what the later ones hear of is put in its place.
  const told = views(live, [{ printers: [printer("ready", null)] }]);
  const staging = await staged(told, { retry: 50 });
  const ink = new Set();
  for (const [n, code] of codes.entries()) {
    const state = ["attention", "lost", "denied"][n % 3];
    told[0] = { ...told[0], printers: [printer(state, { code, title: `Title of ${code}`, instruction: `Mend ${code}.` })] };
    const shown = await staging.waitForSelector(`#alarms .picture use[href="#fault-${code}"]`, { timeout: 10000, state: "attached" });
    const box = await shown.evaluate((use) => { const { width, height } = use.getBoundingClientRect(); return { width, height }; });
    must(box.width >= 20 && box.height >= 14, `${code} is drawn ${JSON.stringify(box)}`);
    must(await staging.locator("#alarms .alarm").count() === 1, `${code} has more than one alarm`);
    must((await staging.textContent("#alarms")).includes(`Mend ${code}.`), `${code} does not say what to do`);
    ink.add((await staging.locator("#alarms .alarm-sign").screenshot()).toString("base64"));
    if (code === "paper_out") await picture(staging, "fault-paper_out");
    told[0] = { ...told[0], printers: [printer("ready", null)] };
    await staging.waitForSelector("#alarms .alarm", { timeout: 10000, state: "detached" });
  }
  must(ink.size === codes.length, `${codes.length} faults have ${ink.size} pictures`);
  must(staging.notes.errors.length === 0, staging.notes.errors.join("; "));
  await staging.close();
  return `${codes.length} pictures`;
});

await check("a fault that the page does not know has a sign, and its words", async () => {
  const fault = { code: "x\"><img src=x>", title: "Something new", instruction: "Look at the printer." };
  const staging = await staged(views(live, [{ printers: [{ name: "zebra", state: "attention", fault, reason: "", waiting: 0, sent: 0, in_doubt: 0, odometer: 7 }] }]));
  await staging.waitForSelector('#alarms .alarm-sign use[href="#sign-alert"]', { state: "attached" });
  must((await staging.textContent("#alarms")).includes("Something new"), "no words");
  await staging.close();
});

await check("a silent stream is STALE even when the daemon still answers requests", async () => {
  const staging = await staged(views(live, [{ screen: screen("accept", "good", "REPLACE") }]), { mute: true });
  await staging.waitForSelector('#panel[data-kind="accept"]');
  await staging.waitForSelector("#stale", { state: "visible", timeout: 10000 });
  const connections = staging.notes.connections;
  await staging.waitForEvent("request", { predicate: (request) => request.url().endsWith("/events"), timeout: 12000 });
  await staging.waitForFunction(() => performance.getEntriesByName(new URL("/api/view", location).href).length >= 2);
  must(await staging.isVisible("#stale"), "an answered request took the warning away");
  must(staging.notes.connections > connections, "no new attempt");
  await staging.close();
});

await check("a new version of the daemon reloads the page", async () => {
  const staging = await staged(views(live, [{}, { station: { ...live.station, version: "0.0.0-other" } }]));
  await staging.waitForEvent("load", { timeout: 5000 });
  await staging.close();
});

await check("a view that cannot be read is said, not shown", async () => {
  const staging = await staged(views(live, [{}, { station: null }]));
  await staging.waitForSelector("#stale", { state: "visible", timeout: 5000 });
  must((await staging.textContent("#stale")).includes("could not be read"), await staging.textContent("#stale"));
  await staging.close();
});

await check("nothing moves when the person asked for no motion", async () => {
  const staging = await staged(views(live, [{ box: null }]), { reducedMotion: "reduce" });
  await staging.waitForSelector("#panel .beam");
  const moving = await staging.evaluate(() => document.getAnimations().length);
  must(moving === 0, `${moving} animations`);
  await staging.close();
});

await context.close();
await rm(profile, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
