"""Every label on every stock, drawn three times, read back and linted: labels.py BACKDOCK LINTER LABELS.MJS FOLDER.

What a label must say in bars stands here, by hand, and comes from its data: one Code 128 per field named in
BARS, and the same number as a QR code where the ZPL has one. The last line is `N passed, N failed`.
"""
import concurrent.futures
import json
import multiprocessing
import pathlib
import re
import socket
import subprocess
import sys
import time

import contact
import zxingcpp
from PIL import Image

backdock, linter, renderer, folder = sys.argv[1], sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
SAMPLES = pathlib.Path("src/label/golden")
STOCKS = ["2x1", "3x2", "4x3", "4x6", "102x152mm"]
RMA = ["rma"]
# Which fields stand on a label as bars; the first as a QR code too, where there is room. Where the label carries the
# code of its print, that stands in the QR code instead.
BARS = {
    "unit": RMA, "test": ["station"], "box": RMA, "traveller": ["rma", "serial"], "hold": RMA, "reject": [],
    "return-to-sender": [], "unauthorised": ["rma", "serial"], "routing": RMA, "vendor": ["vendor_rma"],
    "packing-list": RMA, "return": RMA, "address": RMA, "calltag-request": RMA, "calltag-notice": RMA,
    "rma-sheet": RMA, "checklist": RMA, "quote": RMA, "charge": RMA, "credit": RMA, "qc": ["rma", "serial"],
    "wall-sheet": ["codes"], "scanner-test": [],
}
# The barcodes of the scanner test page: kind, AIM identifier, what it says. A UPC-A is an EAN-13 with a zero in front.
PROBES = [
    ("Code128", "]C0", "BackDock-1/aqwyzm:;#@&\\"), ("Code39", "]A0", "BACKDOCK-2"), ("ITF", "]I1", "30614141000419"),
    ("EAN13", "]E0", "9506000134352"), ("EAN13", "]E0", "0012345678905"), ("Code128", "]C1", "21BACKDOCK6\x1d10A1"),
    ("DataMatrix", "]d1", "[)>\x1e06\x1dSBACKDOCK7\x1dQ1\x1e\x04"),
    ("DataMatrix", "]d2", "010952123454321321BACKDOCK8\x1d10A1"),
    ("QRCode", "]Q1", "SN:BACKDOCK9;MAC:001122334455"), ("PDF417", "]L2", "BACKDOCK-10"),
    ("Code128", "]C0", "BACKDOCK-DONE"), ("QRCode", "]Q1", "BACKDOCK-DONE"),
]
COMMANDS = ("DONE CANCEL UNDO REPRINT NOTTHERE HOLD PHOTO SUPERVISOR YES NO OTHER UNKNOWN "
            "OPT1 OPT2 OPT3 OPT4 OPT5 OPT6 OPT7 OPT8 OPT9").split()
# Stock that has no room for what must stand on a label, with the samples' data. Everything else fits.
TOO_SMALL = {(label, "2x1") for label in ["traveller", "unauthorised", "vendor", "return", "calltag-request",
                                          "rma-sheet", "checklist", "qc", "wall-sheet", "scanner-test"]}
TOO_SMALL |= {(label, stock) for label in ("wall-sheet", "scanner-test") for stock in ("3x2", "4x3")}
# Data that tries to leave its field; each is in every label. Sixty characters, umlauts, letters that the printer
# lacks (the third is drawn), what ends a label, what Code 128 takes for an invocation.
HOSTILE = [
    "Zoë & Søn Überlandwerke GmbH ^XZ ~JR Müller, Äußere Straße 7",
    ">: >; >5 _5E \\& ^FS^FO0,0^BCN ~HS",
    "Łódź Škoda Прага €",
]
HOSTILE_CODES = ["R>:12>;3^XZ", "SN>8^XZ~JR_5E\\&12"]
# What a station puts into `job`.
CODE = "R26D1000012J1712JD1K"
# What no label can print, and how it is named.
REFUSED = [("見積", "U+898B"), ("ok 😀", "U+1F600"), ("a\x1db", "U+001D"), ("a\x00b", "U+0000")]

KINDS = [zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.QRCode]
PROBE_KINDS = KINDS + [getattr(zxingcpp.BarcodeFormat, kind) for kind in sorted({kind for kind, *_ in PROBES})]
# Findings that are the linter's mistake.
ASIDE = [
    # It takes every letter for 20 dots wide, whatever `^A` says. Here runs_off() looks instead.
    r"ZPL2311 text at ",
    # `^FR` holds for one field; it carries it on to the next.
    r"ZPL2305 \^FR overrides",
    # It does not count a QR code among the users of `^BY`. Printers do: they move the code down by its height.
    r"ZPL2305 \^BY overrides",
]

passed = failed = 0


def check(name, trouble):
    global passed, failed
    passed, failed = passed + (not trouble), failed + bool(trouble)
    print(f"FAILED  {name}: {trouble}" if trouble else f"ok      {name}", flush=True)


def labels():
    """Every label with its fields: name -> (required, optional)."""
    said = subprocess.run([backdock, "label", "--list"], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in said.splitlines():
        if not line.startswith(" "):
            name = line.split()[0]
            found[name] = ([], [])
        elif word := re.match(r" +(required|optional): (.*)", line):
            found[name][word[1] == "optional"].extend(filter(None, word[2].split(", ")))
    return found


def hostile(label, fields, every):
    """All fields of a label, as bad as they may be."""
    made = {}
    texts = [field for field in every if field not in BARS[label] and field != "rma"]
    for field in every:
        sample = fields.get(field)
        if field == "copy":
            made[field] = 12
        elif field == "job":
            made[field] = HOSTILE_CODES[1]
        elif field in BARS[label]:
            code = HOSTILE_CODES[BARS[label].index(field)]
            made[field] = [code] if field == "codes" else code
        elif field in ("rma", "box", "boxes"):
            made[field] = sample or HOSTILE_CODES[0]
        else:
            text = HOSTILE[texts.index(field) % len(HOSTILE)]
            made[field] = [text, text] if isinstance(sample, list) or field in LISTS else text
    return made


LISTS = {"steps", "packing", "rules", "checks"}


def draw(name, label, fields, stock, dpi):
    data = folder / f"{name}.json"
    data.write_text(json.dumps(fields))
    return subprocess.run(
        [backdock, "label", label, "--data", data, "--stock", stock, "--dpi", str(dpi),
         "--zpl", folder / f"{name}.zpl", "--png", folder / f"{name}.ours.png"],
        capture_output=True, text=True)


def print_all(names):
    """Through the virtual printer, one after the other on one connection."""
    out = folder / "printer"
    sim = subprocess.Popen(
        [backdock, "sim", "printer", "--listen", "127.0.0.1:0", "--label-ms", "0", "--out", out],
        stdout=subprocess.PIPE, text=True)
    try:
        host, port = re.search(r"([0-9.]+):(\d+)", sim.stdout.readline()).groups()
        with socket.create_connection((host, int(port))) as line:
            for name in names:
                line.sendall((folder / f"{name}.zpl").read_bytes())
            deadline = time.monotonic() + 240
            while len(list(out.glob("*.png"))) < len(names) and time.monotonic() < deadline:
                time.sleep(0.05)
    finally:
        sim.terminate()
        sim.wait(10)
    for name, png in zip(names, sorted(out.glob("*.png"))):
        png.rename(folder / f"{name}.sim.png")


def read(picture, probes):
    """Format and text of every code, with the white that paper has around a label. Of the kinds that a label of
    ours may have: in rows of letters the reader now and then sees one of a dozen others. Of probes all that the
    reader says."""
    image = Image.open(picture).convert("L")
    wide = Image.new("L", (image.width + 80, image.height + 80), 255)
    wide.paste(image, (40, 40))
    found = zxingcpp.read_barcodes(wide, formats=PROBE_KINDS if probes else KINDS)
    if probes:
        return sorted((code.format.name, code.symbology_identifier, code.bytes.decode("latin-1")) for code in found)
    return sorted((code.format.name, code.text) for code in found)


def read_all(case):
    """What each drawing of a case says, and what the linter says of its ZPL."""
    name = case[0]
    pictures = {by: folder / f"{name}.{by}.png" for by in ["ours", "sim", "other"]}
    codes = {by: read(p, case[1] == "scanner-test") if p.exists() else "no picture" for by, p in pictures.items()}
    findings = lint(folder / f"{name}.zpl") + ["something runs off the label"] * runs_off(name)
    return codes, findings


def lint(path):
    """Findings of the linter, notes on what any use of a command needs left aside."""
    done = subprocess.run([linter, "lint", "--output", "json", "--note-audience", "problem", path],
                          capture_output=True, text=True)
    said = [f"{issue['id']} {issue['message']}" for issue in json.loads(done.stdout)["issues"]]
    return [finding for finding in said if not any(re.match(aside, finding) for aside in ASIDE)]


def runs_off(name):
    """Whether the other renderer, on paper larger than the label, blackens a dot that is not on the label."""
    zpl = (folder / f"{name}.zpl").read_text()
    width, height = (int(re.search(rf"\^{command}(\d+)", zpl)[1]) for command in ("PW", "LL"))
    image = Image.open(folder / f"{name}.other.png").convert("L")
    beyond = [image.crop((width, 0, *image.size)), image.crop((0, height, *image.size))]
    return image.width < width + 100 or any(part.getextrema()[0] < 128 for part in beyond)


def meant(label, fields, zpl):
    """The codes that the data asks for. A QR code may find no room; never two."""
    if label == "scanner-test":
        return sorted(PROBES)
    codes = []
    for field in BARS[label]:
        value = fields.get(field, COMMANDS if field == "codes" else None)
        codes += [("Code128", text) for text in (value if isinstance(value, list) else [value])]
    square = [("QRCode", fields.get("job", text)) for _, text in codes[:1]]
    return sorted(codes + square * ("^BQ" in zpl))


def refusals(label, fields, every):
    """What cannot be printed is refused by name, and nothing is written."""
    texts = [f for f in every if f not in BARS[label] and f not in ("copy", "box", "boxes", "job")] + BARS[label]
    for field in {texts[0], texts[-1]}:
        for n, (text, named) in enumerate(REFUSED):
            bad = dict(fields)
            bad[field] = [text] if isinstance(fields.get(field), list) or field in LISTS | {"codes"} else text
            name = f"refused-{label}-{field}-{n}"
            done = draw(name, label, bad, "4x6", 203)
            written = [p.name for p in folder.glob(f"{name}.*") if p.suffix != ".json"]
            good = done.returncode == 1 and named in done.stderr and f'"{field}"' in done.stderr and not written
            check(f"{label}: {field} with {named} is refused by name",
                  "" if good else f"exit {done.returncode}, wrote {written}, said {done.stderr.strip()}")


folder.mkdir(parents=True, exist_ok=True)
known = labels()
check("every label stands in the table of bars", sorted(set(known) ^ set(BARS)))
samples = json.loads((SAMPLES / "papers.json").read_text())
samples["unit"] = json.loads((SAMPLES / "hold.json").read_text())
samples["test"] = json.loads((SAMPLES / "test.json").read_text())

# (name, label, fields, stock, dpi, whether it may be refused for want of room)
cases = []
for label, (needed, optional) in known.items():
    plain = samples[label] | {field: CODE for field in optional if field == "job"}
    bad = hostile(label, samples[label], needed + optional)
    for stock in STOCKS:
        cases.append((f"plain-{label}-{stock}-203", label, plain, stock, 203, (label, stock) in TOO_SMALL))
        cases.append((f"hostile-{label}-{stock}-203", label, bad, stock, 203, None if stock in STOCKS[:3] else False))
    cases += [(f"hostile-{label}-4x6-{dpi}", label, bad, "4x6", dpi, False) for dpi in (300, 600)]
began = time.monotonic()
drawn, said = [], {}
for case in cases:
    name, label, fields, stock, dpi, too_small = case
    done = draw(*case[:5])
    refused = done.returncode == 1 and "use larger stock" in done.stderr
    if done.returncode == 0 and too_small is not True:
        drawn.append(case)
        said[name] = done.stderr
    else:
        check(f"{name} is too small and says so", "" if refused and too_small is not False else
              f"exit {done.returncode}: {done.stderr.strip() or 'it was drawn'}")
for label, (needed, optional) in known.items():
    refusals(label, samples[label], needed + optional)
print(f"drawn: {len(drawn)} labels, {time.monotonic() - began:.0f} s", flush=True)

# The other renderer is the slow one: two of it, while the virtual printer has its turn.
(folder / "off.zpl").write_text("^XA^PW400^LL200^FO300,20^A0N,60,60^FDruns off^FS^XZ")
halves = [[name for name, *_ in drawn][n::2] for n in (0, 1)]
halves[0].append("off")
others = [subprocess.Popen(["node", renderer, folder], stdin=subprocess.PIPE, text=True) for _ in halves]
for other, half in zip(others, halves):
    other.stdin.write("\n".join(half))
    other.stdin.close()
print_all([name for name, *_ in drawn])
check("the other renderer draws them all", [other.returncode for other in others if other.wait() != 0])
print(f"printed: {time.monotonic() - began:.0f} s", flush=True)

check("what runs off a label is seen", "" if runs_off("off") else "it was not")
broken = folder / "broken.zpl"
broken.write_text("^XA^PW100^LL100^FO10,10^A0N,500000,30^FDabc^FS^FO20,20^BCX,20^FDabc^XZ")
check("the linter finds what is broken", "" if len(lint(broken)) >= 3 else f"only {lint(broken)}")
with concurrent.futures.ProcessPoolExecutor(mp_context=multiprocessing.get_context("fork")) as pool:
    for (name, label, fields, *_), (pictures, findings) in zip(drawn, pool.map(read_all, drawn)):
        zpl = (folder / f"{name}.zpl").read_text()
        asked = meant(label, fields, zpl)
        trouble = [f"drawn by {by}: read {found}, meant {asked}" for by, found in pictures.items() if found != asked]
        foreign = any(HOSTILE[2] in value for value in fields.values() if isinstance(value, (str, list)))
        if foreign and not said[name] and "^GFA," not in zpl:
            trouble.append("letters that the printer lacks are not drawn")
        check(f"{name}: {len(asked)} codes", "; ".join(trouble + findings))

sheet = folder / "contact-sheet.png"
shown = contact.sheet(sheet, [(label, folder / f"contact-{label}.png") for label in known
                              if subprocess.run([backdock, "label", label, "--data",
                                                 folder / f"plain-{label}-4x6-203.json", "--png",
                                                 folder / f"contact-{label}.png"]).returncode == 0])
check(f"the contact sheet shows every label: {sheet}", "" if shown == len(known) else f"{shown} of {len(known)}")
print(f"all: {time.monotonic() - began:.0f} s")
print(f"{passed} passed, {failed} failed")
