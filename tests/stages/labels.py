"""Labels in every size and dpi, drawn three times and read back: labels.py BACKDOCK LABELS.MJS FOLDER.

Expected is what the ZPL asks for: one code per ^BC and ^BQ, each saying the RMA number and nothing else.
The last line is `N passed, N failed`.
"""
import json
import pathlib
import re
import socket
import subprocess
import sys
import time

import zxingcpp
from PIL import Image

backdock, renderer, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
PAPERS = ["4x3:203", "4x3:300", "4x3:600", "4x6:203", "3x2:203", "3x2:300", "2x1:203", "2x1:300", "102x152mm:203"]
PLAIN = {
    "rma": "R26D100000W", "serial": "3100121090012345", "brand": "Yealink", "model": "T46U",
    "received": "2026-03-02 09:14", "mac": "001565A1B201", "ticket": "T-4711", "customer": "Acme Telecom",
    "verdict": "REPLACE", "rules": ["A-16"],
}
# Data that tries to leave its field, and as much of it as may stand there.
HOSTILE = {
    "rma": "RMA-00012345", "serial": "SN>8^XZ~JR_5E\\&1234567890", "brand": "B^FS^FO0,0^BCN", "model": "M~HS >:>;",
    "received": "2026-03-02 09:14", "customer": "Zoë & Søn ^XZ ~JA " + "0123456789 " * 5, "verdict": "HOLD",
    "hold": "diagnosis_missing", "rules": ["A-16", "A-20", "A-25"],
}


def draw(name, fields, stock, dpi):
    data = folder / f"{name}.json"
    data.write_text(json.dumps(fields))
    subprocess.run(
        [backdock, "label", "unit", "--data", data, "--stock", stock, "--dpi", dpi,
         "--zpl", folder / f"{name}.zpl", "--png", folder / f"{name}.ours.png"],
        check=True, stderr=subprocess.DEVNULL)


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
            deadline = time.monotonic() + 60
            while len(list(out.glob("*.png"))) < len(names) and time.monotonic() < deadline:
                time.sleep(0.05)
    finally:
        sim.terminate()
        sim.wait(10)
    for name, png in zip(names, sorted(out.glob("*.png"))):
        png.rename(folder / f"{name}.sim.png")


def read(picture):
    """Format and text of every code, with the white that paper has around a label."""
    image = Image.open(picture).convert("L")
    wide = Image.new("L", (image.width + 80, image.height + 80), 255)
    wide.paste(image, (40, 40))
    return sorted((code.format.name, code.text) for code in zxingcpp.read_barcodes(wide))


folder.mkdir(parents=True, exist_ok=True)
cases = [(f"{kind}-{paper.replace(':', '-')}", fields, *paper.split(":"))
         for kind, fields in [("plain", PLAIN), ("hostile", HOSTILE)] for paper in PAPERS]
for case in cases:
    draw(*case)
subprocess.run(["node", renderer, folder], check=True)
print_all([name for name, *_ in cases])

passed = failed = 0
for name, fields, *_ in cases:
    zpl = (folder / f"{name}.zpl").read_text()
    # Field data is escaped, so a command in it is no command.
    asked = sorted(("Code128" if code == "^BC" else "QRCode", fields["rma"]) for code in re.findall(r"\^B[CQ]", zpl))
    for by in ["ours", "sim", "other"]:
        picture = folder / f"{name}.{by}.png"
        found = read(picture) if picture.exists() else "no picture"
        good = found == asked and asked
        passed, failed = passed + bool(good), failed + (not good)
        print(f"{'ok     ' if good else 'FAILED '} {name} drawn by {by}" + ("" if good else f": read {found}, asked for {asked}"))
print(f"{passed} passed, {failed} failed")
