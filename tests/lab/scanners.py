"""Serial scanners through the kernel's drivers: cdc_acm (played by the hands) and ftdi_sio (QEMU's own FTDI)."""

from dock import RMA, UNITS, scanner
from suite import state, suite

TESTS, test = suite()
FTDI = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_{}-if00-port0"
GUN, SECOND = "/dev/backdock/scanner-S1", "/dev/backdock/scanner-S2"


class Acm:
    """Scanners in the mode "USB serial"."""

    ports = {"gun": GUN, "second": SECOND}
    node = "ttyACM"

    def __init__(self, dock):
        self.dock = dock

    def plug(self, name):
        return self.dock.plug(name, "serial", serial={"gun": "S1", "second": "S2"}.get(name, name))

    def unplug(self, name):
        self.dock.unplug(name)

    def say(self, text, name="gun"):
        self.dock.device(name, "scan", payload=text, end="")


class Ftdi:
    """Scanners with a cable for RS-232 and an FTDI adapter."""

    ports = {"gun": FTDI.format("F1"), "second": FTDI.format("F2")}
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


def each_kind(function):
    """The test once for each driver."""
    for kind in (Acm, Ftdi):
        def bound(dock, kind=kind):
            return function(dock, kind(dock))

        bound.__doc__ = f"{kind.node}: {function.__doc__}"
        test("waiting_" + kind.__name__.lower(), f"{kind.__name__.lower()}_{function.__name__}")(bound)
    return function


def waiting(dock, kind):
    dock.configure(*(scanner(port, name) for name, port in kind.ports.items()))
    dock.start()
    dock.scanner_is("lost")


@state()
def waiting_acm(dock):
    waiting(dock, Acm)


@state()
def waiting_ftdi(dock):
    waiting(dock, Ftdi)


def scan(dock, kind, payload, name="gun"):
    """Scans, and waits until the screen speaks of it."""
    scans = dock.view["today"]["scans"]
    kind.say(payload + "\r", name)
    dock.wait(payload, lambda v: v["today"]["scans"] > scans and v["screen"]["scanned"] == payload)
    assert dock.view["screen"]["scanner"] == name
    return dock.view["screen"]["outcome"]


@each_kind
def a_scan_that_is_cut_off_is_forgotten(dock, kind):
    """Pulled out in the middle of a scan and plugged in again under another number: the next scan is whole."""
    plugged = kind.plug("gun")
    ready = dock.scanner_is("present")
    assert scan(dock, kind, RMA) == "box_open"
    assert scan(dock, kind, UNITS[0]) == "received"
    assert dock.sh(f"readlink -f {kind.ports['gun']}").strip() == f"/dev/{kind.node}0"
    kind.say(UNITS[1][:4])
    dock.sh("sleep 0.5")  # until the half is in
    kind.unplug("gun")
    dock.scanner_is("lost")
    # Another one takes its number.
    kind.plug("third")
    dock.sh(f"until [ -c /dev/{kind.node}0 ]; do sleep 0.05; done; udevadm settle")
    again = kind.plug("gun")
    back = dock.scanner_is("present")
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
    kind.say(UNITS[0][:5])
    kind.say(UNITS[1][:3], "second")
    kind.say(UNITS[0][5:])
    kind.say("\r")
    dock.wait("the first", lambda v: v["screen"]["scanned"] == UNITS[0] and v["screen"]["scanner"] == "gun")
    kind.say(UNITS[1][3:] + "\r", "second")
    dock.wait("the second", lambda v: v["screen"]["scanned"] == UNITS[1] and v["screen"]["scanner"] == "second")
    kind.unplug("gun")
    dock.scanner_is("lost")
    assert scan(dock, kind, UNITS[2], "second") == "received"
    assert dock.received() == UNITS[:3]


@each_kind
def no_scan_of_300_is_lost(dock, kind):
    """As fast as the cable takes them, faster than the disk: all are received, in their order."""
    kind.plug("gun")
    dock.scanner_is("present")
    assert scan(dock, kind, RMA) == "box_open"
    for at in range(0, 300, 20):
        kind.say("".join(f"{serial}\r" for serial in UNITS[at : at + 20]))
    dock.wait("300 receipts", lambda v: v["today"]["receipts"] == 300)
    assert dock.received() == UNITS[:300]
    dock.verify()
