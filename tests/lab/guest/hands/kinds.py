"""What can be plugged in: a Zebra, and scanners that speak serial, point of sale, or keyboard."""

import socket
import struct
import threading
import time

from usb import OK, STALL, Device, interface

BULK, INTERRUPT = 2, 3


class Zebra(Device):
    """A label printer of the printer class (7/1/2). Behind it stands `backdock sim printer` at a TCP port,
    which is switched on and off by itself: a cable that is pulled leaves it with what it had.

    The printer may take nothing (NAK), refuse (STALL), say nothing back, or be cut at a byte of a label.
    """

    vendor, product = 0x0A5F, 0x0166
    OUT, IN = 1, 2
    interfaces = (interface(0, (7, 1, 2), [(OUT, BULK, 512, 0), (0x80 | IN, BULK, 512, 0)]),)

    def __init__(self, serial="D2J250000001", address="127.0.0.1:9100"):
        super().__init__()
        self.texts = ("Zebra Technologies", "ZTC ZD421-203dpi ZPL", serial)
        self.hold = self.mute = False
        self.refuse = False  # the next label is refused after its first packet
        self.halted = set()  # of "out" and "in"
        self.stalls = 0
        self.cut = None  # (label, bytes): so much of that label passes, counted from 1, then the cable is pulled
        self.begun = 0
        self.open = None  # bytes of the label that passes now
        self.tail = b""  # the last of them
        host, port = address.rsplit(":", 1)
        self.printer = socket.create_connection((host, int(port)), timeout=10)
        self.printer.settimeout(None)
        self.printer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                answer = self.printer.recv(512)
            except OSError:
                return
            if not answer:
                return
            if not self.mute:
                self.say(self.IN, answer)

    def unplugged(self):
        self.printer.close()

    def set(self, **what):
        with self.lock:
            for name, value in what.items():
                setattr(self, name, set(value) if name == "halted" else value)
            self.take()
            if self.cable:
                self.flow(self.IN)

    def answers(self, endpoint):
        if "in" in self.halted:
            self.stalls += 1
            return STALL
        return OK

    def took(self, endpoint, data):
        if self.hold:
            return None
        if self.refuse and data.startswith(b"^XA"):
            self.passes(data[:64])
            self.refuse = False
            self.halted.add("out")
        if "out" in self.halted:
            self.stalls += 1
            return STALL
        if self.passes(data):
            self.unplug()
            return None
        return OK

    def passes(self, data):
        """Gives the printer what the cable lets through; whether the cable is cut behind it."""
        for at, byte in enumerate(data):
            if self.open is None:
                if byte != ord("^"):
                    continue
                self.begun, self.open, self.tail = self.begun + 1, 0, b""
            here = at if self.cut == [self.begun, self.open] else None
            self.open += 1
            self.tail = self.tail[-2:] + bytes([byte])
            if here is None and self.tail == b"^XZ":
                here = at + 1 if self.cut == [self.begun, self.open] else None
                self.open = None
            if here is not None:
                self.open = None
                self.printer.sendall(data[:here])
                return True
        self.printer.sendall(data)
        return False

    def cleared(self, endpoint):
        self.halted.discard("in" if endpoint & 0x80 else "out")

    def request(self, kind, request, value, index, data):
        if (kind, request) == (0xA1, 0):
            text = "MANUFACTURER:{};COMMAND SET:ZPL;MODEL:{};CLASS:PRINTER;".format(*self.texts).encode()
            return struct.pack(">H", len(text) + 2) + text
        if (kind, request) == (0xA1, 1):
            return b"\x18"  # not empty, selected, no error
        return b"" if (kind, request) == (0x21, 2) else None

    def state(self):
        return {"begun": self.begun, "plugged": self.cable is not None, "halted": sorted(self.halted),
                "stalls": self.stalls, "held": len(self.held)}


class Serial(Device):
    """A scanner in the mode "USB serial" (CDC-ACM)."""

    vendor, product = 0x05E0, 0x1701
    kind = (2, 0, 0)
    DATA = 2
    interfaces = (
        interface(0, (2, 2, 1), [(0x81, INTERRUPT, 16, 9)],
                  bytes([5, 0x24, 0, 0x10, 1, 5, 0x24, 1, 0, 1, 4, 0x24, 2, 2, 5, 0x24, 6, 0, 1])),
        interface(1, (10, 0, 0), [(3, BULK, 512, 0), (0x80 | DATA, BULK, 512, 0)]),
    )

    def __init__(self, serial="S1"):
        super().__init__()
        self.texts = ("Symbol Technologies", "Symbol Bar Code Scanner", serial)
        self.heard = b""

    def took(self, endpoint, data):
        self.heard += data
        return OK

    def request(self, kind, request, value, index, data):
        if (kind, request) == (0xA1, 0x21):
            return struct.pack("<IBBB", 9600, 0, 0, 8)
        return b"" if kind == 0x21 and request in (0x20, 0x22, 0x23) else None

    def scan(self, payload, end="\r"):
        self.say(self.DATA, (payload + end).encode("latin-1"))

    def state(self):
        return {"heard": self.heard.decode("latin-1"), "unread": sum(map(len, self.said.get(self.DATA, [])))}


class Hid(Device):
    """What the two HID kinds have in common: one interrupt pipe, and a report descriptor."""

    PIPE = 1
    report = b""

    def __init__(self, serial, ids=None, report=None):
        """`ids` (vendor and product) and `report` (descriptor, in hexadecimal) instead of its own."""
        super().__init__()
        self.vendor, self.product = ids or (self.vendor, self.product)
        self.report = bytes.fromhex(report) if report else self.report
        self.texts = ("Symbol Technologies", "Bar Code Scanner", serial)
        kind = (3, 1, 1) if isinstance(self, Wedge) else (3, 0, 0)
        about = bytes([9, 0x21, 0x11, 1, 0, 1, 0x22]) + struct.pack("<H", len(self.report))
        self.interfaces = (interface(0, kind, [(0x80 | self.PIPE, INTERRUPT, 64, 4)], about),)

    def request(self, kind, request, value, index, data):
        if (kind, request, value >> 8) == (0x81, 6, 0x22):
            return self.report
        # SET_REPORT (the Caps Lock light), SET_IDLE, SET_PROTOCOL.
        return b"" if kind == 0x21 and request in (9, 10, 11) else None


class HidPos(Hid):
    """A scanner in the mode "HID POS" (USB HID Point of Sale Usage Tables, page 0x8C)."""

    vendor, product = 0x1EAB, 0x1910
    DATA = 56
    # Report 2 of 64 bytes: length, three bytes of symbology, 56 of data, two of the maker's, "goes on".
    report = bytes.fromhex(
        "058c0902a10185020912a102150026ff00750895010501093b8102058c950309fb09fc09fd8102953809fe8202010666ff9502"
        "0904090081 02058c25017501950109ff810295078103c0c0")

    def scan(self, payload):
        data = payload.encode("latin-1")
        for at in range(0, len(data), self.DATA):
            self.say(self.PIPE, self.part(data[at : at + self.DATA], at + self.DATA < len(data)))

    def part(self, data, more):
        return bytes([2, len(data)]) + b"]C0" + data.ljust(self.DATA, b"\0") + bytes([0, 0, more])

    def reports(self, hexadecimal, times=1):
        """Anything, as a report; in a row as fast as they are fetched."""
        self.say(self.PIPE, *[bytes.fromhex(hexadecimal)] * times)

    def cut_off(self, payload):
        """A report that says it goes on, and never does."""
        self.say(self.PIPE, self.part(payload.encode("latin-1"), True))


class Wedge(Hid):
    """A scanner that types what it reads, on a US keyboard, and Enter behind it."""

    vendor, product = 0x05E0, 0x1200
    # The boot keyboard of the HID specification, appendix B.1.
    report = bytes.fromhex(
        "05010906a101050719e029e71500250175019508810295017508810395057501050819012905910295017503910395067508150"
        "025650507190029658100c0")

    # The keys from A on, in the order of the usages of page 7; those that type nothing are blanks.
    PLAIN = "abcdefghijklmnopqrstuvwxyz1234567890\0\0\0\0 -=[]\\\0;'`,./"
    SHIFTED = "ABCDEFGHIJKLMNOPQRSTUVWXYZ!@#$%^&*()\0\0\0\0\0_+{}|\0:\"~<>?"

    ENTER = 40

    def scan(self, payload):
        self.type([*self.keys(payload), (0, self.ENTER)])

    def cut_off(self, payload):
        self.type(self.keys(payload))

    def keys(self, text):
        """Shift and usage of each."""
        for letter in text:
            shift = letter not in self.PLAIN
            yield 2 if shift else 0, 4 + (self.SHIFTED if shift else self.PLAIN).index(letter)

    def type(self, keys):
        """A key in the place of the one before; it comes up in between only where it is the same again. No scanner
        types faster: the kernel keeps about twenty keys for a reader that is late."""
        before = None
        for shift, usage in [*keys, (0, 0)]:
            if usage == before:
                self.report_keys(0, 0)
            self.report_keys(shift, usage)
            before = usage

    def report_keys(self, shift, usage):
        self.say(self.PIPE, bytes([shift, 0, usage, 0, 0, 0, 0, 0]))
        time.sleep(0.003)

    def state(self):
        return {"unread": len(self.said.get(self.PIPE, []))}


KINDS = {"zebra": Zebra, "serial": Serial, "hid-pos": HidPos, "wedge": Wedge}
