"""Scanners through the kernel's drivers: cdc_acm, HID POS by libusb, key events by evdev (all three played by
the hands), and ftdi_sio (QEMU's own FTDI)."""

import json

from dock import RMA, UNITS, scanner, table
from suite import state, suite

TESTS, test = suite()
FTDI = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_{}-if00-port0"
GUN, SECOND = "/dev/backdock/scanner-S1", "/dev/backdock/scanner-S2"


class Acm:
    """Scanners in the mode "USB serial"."""

    kind = "serial"
    config = [scanner(GUN), scanner(SECOND, "second")]

    ports = {"gun": GUN, "second": SECOND}
    node = "ttyACM"

    def __init__(self, dock):
        self.dock = dock

    def plug(self, name):
        return self.dock.plug(name, self.kind, serial={"gun": "S1", "second": "S2"}.get(name, name))

    def unplug(self, name):
        self.dock.unplug(name)

    def say(self, text, name="gun"):
        self.dock.device(name, "scan", payload=text, end="")

    def scan(self, payload, name="gun"):
        self.dock.device(name, "scan", payload=payload)

    def cut_off(self, half, name="gun"):
        self.say(half, name)


class Hid(Acm):
    """Scanners without a port of the kernel's."""

    node = None

    def cut_off(self, half, name="gun"):
        self.dock.device(name, "cut_off", payload=half)


class Pos(Hid):
    """Scanners in the mode "HID POS"."""

    kind = "hid-pos"
    config = [table("scanner", name=name, kind="hid-pos", serial=serial) for name, serial in (("gun", "S1"), ("second", "S2"))]


class Wedge(Hid):
    """Scanners that type."""

    kind = "wedge"
    # Enter ends a scan; a pause would too, unless it is said.
    config = [table("scanner", name=name, kind="wedge", serial=serial, suffix="cr") for name, serial in (("gun", "S1"), ("second", "S2"))]


class Ftdi:
    """Scanners with a cable for RS-232 and an FTDI adapter."""

    ports = {"gun": FTDI.format("F1"), "second": FTDI.format("F2")}
    config = [scanner(FTDI.format("F1")), scanner(FTDI.format("F2"), "second")]
    node = "ttyUSB"
    which = {"gun": "ftdi0", "second": "ftdi1"}

    def __init__(self, dock):
        self.guest = dock.guest
        self.lines = {}

    def plug(self, name):
        port = self.which.get(name, "ftdi1")
        self.guest.qmp("device_add", driver="usb-serial", id=name, chardev=port, bus="usb.0",
                       serial={"gun": "F1", "second": "F2"}.get(name, name))
        self.lines[name] = self.guest.cable(port)
        return None

    def unplug(self, name):
        self.guest.qmp("device_del", id=name)
        self.lines.pop(name).close()

    def say(self, text, name="gun"):
        self.lines[name].sendall(text.encode())

    def scan(self, payload, name="gun"):
        self.say(payload + "\r", name)

    cut_off = say


def each_kind(function, kinds=None):
    """The test once for each kind of scanner."""
    for kind in kinds or (Acm, Ftdi, Pos, Wedge):
        def bound(dock, kind=kind):
            return function(dock, kind(dock))

        bound.__doc__ = f"{kind.__name__}: {function.__doc__}"
        test("waiting_" + kind.__name__.lower(), f"{kind.__name__.lower()}_{function.__name__}")(bound)
    return function


def waiting(dock, kind):
    dock.configure(*kind.config)
    dock.start()
    dock.scanner_is("lost")


@state()
def waiting_acm(dock):
    waiting(dock, Acm)


@state()
def waiting_ftdi(dock):
    waiting(dock, Ftdi)


@state()
def waiting_pos(dock):
    waiting(dock, Pos)


@state()
def waiting_wedge(dock):
    waiting(dock, Wedge)


def scan(dock, kind, payload, name="gun"):
    """Scans, and waits until the screen speaks of it."""
    scans = dock.view["today"]["scans"]
    kind.scan(payload, name)
    dock.wait(payload, lambda v: v["today"]["scans"] > scans and v["screen"]["scanned"].endswith(payload))
    assert dock.view["screen"]["scanner"] == name
    return dock.view["screen"]["outcome"]


@each_kind
def a_scan_that_is_cut_off_is_forgotten(dock, kind):
    """Pulled out in the middle of a scan and plugged in again under another number: the next scan is whole."""
    plugged = kind.plug("gun")
    ready = dock.scanner_is("present")
    assert scan(dock, kind, RMA) == "box_open"
    assert scan(dock, kind, UNITS[0]) == "received"
    if kind.node:
        assert dock.sh(f"readlink -f {kind.ports['gun']}").strip() == f"/dev/{kind.node}0"
    kind.cut_off(UNITS[1][:4])
    dock.sh("sleep 0.5")  # until the half is in
    kind.unplug("gun")
    dock.scanner_is("lost")
    # Another one takes its number.
    kind.plug("third")
    if kind.node:
        dock.sh(f"until [ -c /dev/{kind.node}0 ]; do sleep 0.05; done; udevadm settle")
    again = kind.plug("gun")
    back = dock.scanner_is("present")
    if kind.node:
        assert dock.sh(f"readlink -f {kind.ports['gun']}").strip() == f"/dev/{kind.node}1"
    assert scan(dock, kind, UNITS[2]) == "received"
    assert dock.received() == [UNITS[0], UNITS[2]]
    return f"ready {ready - plugged:.2f} s after plugging in, {back - again:.2f} s after the second time" if plugged else None


@each_kind
def two_of_the_same_model_are_two_scanners(dock, kind):
    """Halves of scans in turn, and each comes out whole under its own scanner's name."""
    for name in ("gun", "second"):
        kind.plug(name)
        dock.scanner_is("present", name)
    assert scan(dock, kind, RMA) == "box_open"
    if kind.node:
        # A scan in two pieces, with half a scan of the other one in between.
        kind.say(UNITS[0][:5])
        kind.say(UNITS[1][:3], "second")
        kind.say(UNITS[0][5:] + "\r")
        dock.wait("the first", lambda v: (v["screen"]["scanned"], v["screen"]["scanner"]) == (UNITS[0], "gun"))
        kind.say(UNITS[1][3:] + "\r", "second")
        dock.wait("the second", lambda v: (v["screen"]["scanned"], v["screen"]["scanner"]) == (UNITS[1], "second"))
    else:
        assert scan(dock, kind, UNITS[0]) == "received"
        assert scan(dock, kind, UNITS[1], "second") == "received"
    kind.unplug("gun")
    dock.scanner_is("lost")
    assert scan(dock, kind, UNITS[2], "second") == "received"
    assert dock.received() == UNITS[:3]


@each_kind
def no_scan_of_300_is_lost(dock, kind):
    """As fast as the cable takes them: all are received, in their order."""
    kind.plug("gun")
    dock.scanner_is("present")
    assert scan(dock, kind, RMA) == "box_open"
    if kind.__class__ is Wedge:
        # As fast as a scanner types: a queue of key events that runs over would have the scan refused, rightly.
        dock.call("scans", name="gun", payloads=UNITS[:300], pause=0)
    else:
        for serial in UNITS[:300]:
            kind.scan(serial)
    dock.wait("300 receipts", lambda v: v["today"]["receipts"] == 300)
    assert dock.received() == UNITS[:300]
    dock.verify()


@test("installed")
def wedge_types_into_no_console(dock):
    """Without the station the console takes its keys; while the station runs it takes none."""
    kind = Wedge(dock)
    dock.sh("systemd-run -q --unit=console -p StandardInput=tty -p TTYPath=/dev/tty1 bash -c 'stty raw -echo; exec cat > /tmp/console'")
    kind.plug("gun")
    dock.sh("until ls /dev/input/by-id/*S1* > /dev/null 2>&1; do sleep 0.05; done; udevadm settle; sleep 1")
    kind.scan("BEFORE")
    dock.sh("until grep -q BEFORE /tmp/console; do sleep 0.05; done")
    dock.configure(*Wedge.config)
    dock.start()
    dock.scanner_is("present")
    assert scan(dock, kind, RMA) == "box_open"
    for serial in UNITS[:5]:
        assert scan(dock, kind, serial) == "received"
    assert dock.sh("cat /tmp/console").strip() == "BEFORE", "a scan was typed into the console"
    dock.sh("systemctl stop backdock")
    kind.scan("AFTER")
    dock.sh("until grep -q AFTER /tmp/console; do sleep 0.05; done")


@test("installed")
def wedge_typing_another_layout_is_found(dock):
    """A scanner that types on an American keyboard while the configuration says German: the doctor says so."""
    dock.configure(table("scanner", name="gun", kind="wedge", serial="S1", layout="de"))
    dock.plug("gun", "wedge", serial="S1")
    dock.sh("systemd-run -q --unit=doctor -p StandardOutput=file:/tmp/told -p StandardError=file:/tmp/said "
            "/usr/bin/backdock doctor scanner gun --json")
    dock.sh("until grep -q listening /tmp/said; do sleep 0.05; done")
    for payload, line in (("BackDock-1/aqwyzm:;#@&\\", "Code 128"), ("9506000134352", "EAN-13"), ("BACKDOCK-DONE", "DONE")):
        dock.device("gun", "scan", payload=payload)
        dock.sh(f"until grep -q '{line}' /tmp/said; do sleep 0.05; done")
    dock.sh("until [ -s /tmp/told ]; do sleep 0.05; done")
    findings = json.loads(dock.sh("cat /tmp/told"))["scanner"]["findings"]
    assert findings[0]["kind"] == "layout" and '"us"' in findings[0]["what"], findings
    assert {finding["kind"] for finding in findings} == {"layout", "symbology", "aim"}, findings


@test("waiting_pos")
def pos_a_descriptor_that_lies_is_said_to_lie(dock):
    """A report descriptor that breaks off or means no scanner: said, and the next device is used."""
    for number, (report, word) in enumerate((("058c0902a10197ff", "breaks off"), ("058c0902a101c0", "cannot be read"))):
        dock.plug(f"liar{number}", "hid-pos", serial="S1", report=report)
        dock.wait(word, lambda v: word in v["scanners"][0]["reason"])
        dock.unplug(f"liar{number}")
    kind = Pos(dock)
    kind.plug("gun")
    dock.scanner_is("present")
    assert scan(dock, kind, RMA) == "box_open"


@test("waiting_pos")
def pos_what_is_no_scan_is_none(dock):
    """Reports without data, of another kind, cut short, longer than they say: nothing of it becomes a unit."""
    kind = Pos(dock)
    kind.plug("gun")
    dock.scanner_is("present")
    assert scan(dock, kind, RMA) == "box_open"
    for report in ("02", "0200", "09414243", "02ff5d4330" + "41" * 59, "02055d43"):
        dock.device("gun", "reports", hexadecimal=report)
    assert scan(dock, kind, UNITS[0]) == "received"
    assert dock.received() == [UNITS[0]]
    dock.verify()


@test("waiting_pos")
def pos_a_device_that_runs_wild_is_shut_out(dock):
    """Ten thousand reports as fast as the bus takes them: shut out aloud, the page answers, and others scan on."""
    kind = Pos(dock)
    kind.plug("second")
    dock.scanner_is("present", "second")
    assert scan(dock, kind, RMA, "second") == "box_open"
    kind.plug("gun")
    dock.scanner_is("present")
    dock.device("gun", "reports", hexadecimal=("020a5d4330" + UNITS[1].encode().hex()).ljust(128, "0"), times=10_000)
    dock.scanner_is("denied")
    assert "unplug it" in next(s["reason"] for s in dock.view["scanners"] if s["name"] == "gun")
    kind.unplug("gun")
    assert scan(dock, kind, UNITS[0], "second") == "received"
    assert dock.received() == [UNITS[1], UNITS[0]], dock.received()
    dock.verify()


@test("installed")
def wedge_a_keyboard_that_calls_itself_a_scanner_is_none(dock):
    """Its name says scanner, its numbers do not, and it types fast: it is not grabbed, and nothing of it is taken."""
    dock.sh("systemd-run -q --unit=console -p StandardInput=tty -p TTYPath=/dev/tty1 bash -c 'stty raw -echo; exec cat > /tmp/console'")
    dock.configure()
    dock.start()
    dock.plug("duck", "wedge", serial="D1", ids=[0x1234, 0x5678])
    dock.sh("until ls /dev/input/by-id/*D1* > /dev/null 2>&1; do sleep 0.05; done; udevadm settle; sleep 1")
    dock.device("duck", "scan", payload=RMA)
    dock.sh(f"until grep -q {RMA} /tmp/console; do sleep 0.05; done")
    dock.plug("gun", "wedge", serial="S1")
    dock.wait("the scanner", lambda v: [s for s in v["scanners"] if s["name"] == "05e0-1200-S1" and s["state"] == "present"])
    assert not [s for s in dock.view["scanners"] if "1234" in s["name"]], dock.view["scanners"]
    dock.device("gun", "scan", payload=RMA)
    dock.wait("the box", lambda v: (v["box"] or {}).get("rma") == RMA)
    assert dock.view["today"]["scans"] == 1, dock.view["today"]


@test("waiting_wedge")
def wedge_without_a_driver_is_read_through_libusb(dock):
    """Another program had detached the kernel's driver: the scanner is read all the same, and its driver comes back."""
    kind = Wedge(dock)
    kind.plug("gun")
    dock.scanner_is("present")
    dock.sh("systemctl stop backdock; cd /sys/bus/hid/drivers/hid-generic; for d in 0003:05E0:1200.*; do echo $(basename $(dirname $(readlink -f $d))) > /sys/bus/usb/drivers/usbhid/unbind; done")
    dock.sh("until ! ls /dev/input/by-id/*S1* > /dev/null 2>&1; do sleep 0.05; done; systemctl start backdock")
    dock.gone()
    dock.scanner_is("present")
    assert "by libusb" in dock.view["scanners"][0]["reason"], dock.view["scanners"]
    assert scan(dock, kind, RMA) == "box_open"
    for serial in UNITS[:20]:
        assert scan(dock, kind, serial) == "received"
    dock.verify()
    dock.sh("systemctl stop backdock; until ls /dev/input/by-id/*S1* > /dev/null 2>&1; do sleep 0.05; done")
