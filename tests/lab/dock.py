"""A dock in the guest: the station as the README installs it, its devices, its page, and the account afterwards."""

import json
import queue
import re
import time
from pathlib import Path

from machine import PATIENCE

PROJECT = Path(__file__).resolve().parents[2]
ZEBRA = "D2J250000001"
OTHER_ZEBRA = "D2J250000002"
# Where the virtual Zebras listen.
PORTS = {ZEBRA: 9100, OTHER_ZEBRA: 9101}
RMA = "RMA470011"
UNITS = [f"KDX{n:07}" for n in range(1, 701)]


def readme(section):
    """The shell commands of a section of the README, block by block."""
    text = (PROJECT / "README.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    assert blocks, f"README.md says nothing under {section}"
    return blocks


INSTALL, ENABLE = readme("Install")[:2]


class Dock:
    def __init__(self, guest):
        self.guest = guest
        self.sh, self.run, self.call = guest.sh, guest.run, guest.call
        self.view = {}
        self.lives = 0  # of the daemon that have ended
        self.shown = set()  # serial numbers that the screen showed as received

    # The station.

    def install(self):
        self.sh("cd /lab && set -e\n" + INSTALL)

    def configure(self, *parts, code="D7"):
        """Writes the configuration: the station, and what `scanner` and `printer` below give."""
        station = f'[station]\nid = "DOCK7"\ncode = "{code}"\ntimezone = "America/Chicago"\n[web]\nlisten = "127.0.0.1:8631"\n'
        self.sh("install -D -m 644 /dev/stdin /etc/backdock/backdock.toml", station + "".join(parts))

    def bring_in(self):
        """Shipments, and one RMA with all of them announced."""
        shipments = "serial,mac,brand,model,ship_date,order,customer,channel\n" + "".join(
            f"{serial},001565{n:06X},Yealink,T46U,2026-02-03,SO-{n},Acme,direct\n" for n, serial in enumerate(UNITS))
        rmas = "number,ticket,channel,customer,issued,reported,diagnosed,qualified,serial\n" + "".join(
            f"{RMA},T-1,direct,Acme,2026-02-20,2026-02-20,yes,yes,{serial}\n" for serial in UNITS)
        for verb, text in (("shipments", shipments), ("rma", rmas)):
            self.sh(f"cat > /tmp/{verb}.csv && sudo backdock {verb} import /tmp/{verb}.csv", text)

    def start(self):
        """Starts the service and opens its page."""
        self.sh("systemctl start backdock")
        self.watch()

    def watch(self):
        """Opens the page, which is opened again by itself when the daemon is started again."""
        self.call("watch")
        self.view = {}
        self.wait("the page", lambda view: view)

    def wait(self, what, is_so, patience=PATIENCE):
        """Waits until the page shows it; answers with the time at which it came, guest's monotonic seconds."""
        until = time.monotonic() + patience
        seen = 0.0
        while not (self.view and is_so(self.view)):
            said = self.look(max(until - time.monotonic(), 0.001))
            seen = said["seen"] if said and "view" in said else seen
            if time.monotonic() > until:
                shown = {key: self.view.get(key) for key in ("screen", "scanners", "printers", "in_doubt", "today")}
                raise AssertionError(f"still waiting for: {what}; the page shows {json.dumps(shown)}")
        return seen

    def look(self, patience=0.1):
        """Takes one thing that the page said, if it says one in time."""
        try:
            said = self.guest.views.get(timeout=patience)
        except queue.Empty:
            return None
        if "gone" in said:
            self.view, self.lives = {}, self.lives + 1
        elif "seq" in said["view"]:
            self.view = said["view"]
            units = (self.view.get("box") or {}).get("units", [])
            self.shown |= {unit["serial"] for unit in units if unit["state"] == "received"}
        return said

    def hear_the_last(self):
        """What the page had said before the machine was gone."""
        self.guest.ended.wait(PATIENCE)
        while self.look(0):
            pass

    def gone(self):
        """Waits until the daemon of now has ended; what it still shows is not looked at."""
        lives, until = self.lives, time.monotonic() + PATIENCE
        while self.lives == lives:
            assert time.monotonic() < until, "the daemon does not end"
            self.look()

    def scanner_is(self, state, name="gun"):
        return self.wait(f"scanner {name} is {state}", lambda v: {s["name"]: s["state"] for s in v["scanners"]}.get(name) == state)

    def printer_is(self, state, fault=None):
        def is_so(view):
            printer = view["printers"][0]
            return printer["state"] == state and (fault is None or (printer["fault"] or {}).get("code") == fault)

        return self.wait(f"the printer is {state} {fault or ''}", is_so)

    def ready(self):
        """The printer is ready and owes nothing."""
        def is_so(view):
            p = view["printers"][0]
            return p["state"] == "ready" and p["waiting"] == 0 and p["sent"] == 0

        return self.wait("the printer is ready", is_so)

    # Devices.

    def plug(self, name, kind, **options):
        return self.call("plug", name=name, kind=kind, **options)

    def unplug(self, name):
        self.call("unplug", name=name)

    def device(self, name, what, **options):
        return self.call("device", name=name, what=what, **options)

    def zebra(self, serial=ZEBRA):
        """Switches a virtual Zebra on, which keeps its labels in /tmp/SERIAL. It is not plugged in yet."""
        port = PORTS[serial]
        self.sh(f"systemd-run -q --unit=zebra-{serial} /usr/bin/backdock sim printer --listen 127.0.0.1:{port} "
                f"--out /tmp/{serial} --label-ms 20 --serial {serial}")
        self.sh(f"until (: < /dev/tcp/127.0.0.1/{port}) 2> /dev/null; do sleep 0.05; done")

    def plug_zebra(self, serial=ZEBRA):
        return self.plug("zebra", "zebra", serial=serial, address=f"127.0.0.1:{PORTS[serial]}")

    def scan(self, payload, name="gun"):
        """Scans and waits until the screen speaks of it; answers with the outcome."""
        before = self.view["today"]["scans"], (self.view["screen"] or {}).get("at")
        self.device(name, "scan", payload=payload)

        def is_so(view):
            screen = view["screen"]
            return screen and (view["today"]["scans"], screen["at"]) != before and screen["scanned"] == payload

        self.wait(f"{payload} is on the screen", is_so)
        return self.view["screen"]["outcome"]

    def receive(self, *serials, name="gun"):
        for serial in serials:
            outcome = self.scan(serial, name)
            assert outcome == "received", f"{serial}: {outcome}"

    def came_out(self, labels):
        """The printer's count is so many labels higher than it was at first, and nothing is owed."""
        self.ready()
        self.wait(f"{labels} labels are counted", lambda view: view["printers"][0]["odometer"] == 1000 + labels)
        self.ready()

    # The account.

    def json(self, arguments, code=0):
        done = self.run(f"sudo backdock {arguments}")
        assert done["code"] in (code, 3), f"backdock {arguments}: {done}"
        return json.loads(done["out"])

    def as_station(self, arguments):
        """What the station's own user sees, without the service's sandbox."""
        done = self.run(f"sudo -u backdock backdock {arguments}")
        assert done["code"] in (0, 3), f"backdock {arguments}: {done}"
        return json.loads(done["out"])

    def paper(self, serial=ZEBRA):
        """How often a label of each unit came out of this printer."""
        # What the printer itself has counted; drawing the pictures beside takes a moment.
        port = PORTS[serial]
        ask = """exec 3<> /dev/tcp/127.0.0.1/%d; printf '! U1 getvar "odometer.total_label_count"\\r\\n' >&3; read -rd '"' -u3; read -rd '"' -u3 n
            cd /tmp/%s; until [ $(ls | grep -c 'zpl$') -ge $((n - 1000)) ]; do sleep 0.05; done
        """ % (port, serial)
        # A label has its unit's number twice, as text and as barcode.
        whole = self.sh(ask + "for f in *.zpl; do [ ! -e $f ] || grep -o 'KDX[0-9]*' $f | sort -u; done | sort | uniq -c")
        return {line.split()[1]: int(line.split()[0]) for line in whole.splitlines()}

    def jobs(self):
        return {job["serial"]: job for job in self.json("jobs --last 1000 --json") if job["serial"]}

    def verify(self):
        done = self.run("sudo backdock journal verify")
        assert done["code"] == 0, f"journal verify: {done}"

    def received(self):
        """Serial numbers whose receipts stand in the journal, in their order."""
        events = [json.loads(line)["event"] for line in self.sh("sudo backdock journal export").splitlines()]
        return [event["receipt"]["serial"] for event in events if event["kind"] == "received"]

    def adds_up(self, *printers):
        """Nothing came out twice; what is printed came out; what is shown stands in the journal."""
        came = {}
        for serial in printers or (ZEBRA,):
            for unit, times in self.paper(serial).items():
                came[unit] = came.get(unit, 0) + times
        for unit, job in self.jobs().items():
            times = came.pop(unit, 0)
            fine = {"printed": times == 1, "in-doubt": times <= 1, "queued": times == 0}.get(job["state"], False)
            assert fine, f"the label of {unit} is {job['state']} and came out {times} times: {job}"
        assert not came, f"labels of nobody: {came}"
        self.verify()


def scanner(port, name="gun", **more):
    return table("scanner", name=name, kind="serial", port=port, **more)


def printer(link, name="zebra", **more):
    return table("printer", name=name, link=link, dpi=203, stock="4x3", **more)


def table(table_, **keys):
    return f"[[{table_}]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
