"""USB devices played by a program: the device's end of USB/IP, behind the kernel's vhci_hcd.

To the kernel it is a socket with something plugged into it: real enumeration, real drivers, real udev. No
daemon and no network: both ends of a socket pair, one handed to vhci_hcd through sysfs. Everything that a
device may do at any byte can be played: say nothing (NAK), refuse (STALL), vanish in the middle of a
transfer. The protocol is in the kernel's Documentation/usb/usbip_protocol.rst, the requests are those of
USB 2.0 chapter 9.
"""

import errno
import os
import socket
import struct
import threading
import time

VHCI = "/sys/devices/platform/vhci_hcd.0/"
HIGH_SPEED = 3
SUBMIT, UNLINK, RET_SUBMIT, RET_UNLINK = 1, 2, 3, 4
OK, STALL = 0, -errno.EPIPE


def interface(number, kind, endpoints, extra=b""):
    """An interface descriptor with its endpoints: (address, attributes, packet size, interval)."""
    ends = b"".join(struct.pack("<BBBBHB", 7, 5, *e) for e in endpoints)
    return bytes([9, 4, number, 0, len(endpoints), *kind, 0]) + extra + ends


class Device:
    """A device that is plugged in while it exists between `plug` and `unplug`."""

    vendor = product = 0
    kind = (0, 0, 0)
    texts = ("", "", "")  # maker, product, serial number
    interfaces = ()

    def __init__(self):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.waiting = {}  # endpoint to the host -> [(sequence number, most bytes)]
        self.said = {}  # endpoint to the host -> packets that wait to be fetched
        self.held = []  # transfers to the device that are not taken: (sequence number, endpoint, bytes)
        self.cable = None

    def plug(self):
        """Puts it into a free socket. Returns the monotonic time of that."""
        ours, theirs = socket.socketpair()
        self.cable = ours
        with open(VHCI + "status") as status:
            rows = [line.split() for line in status if line.startswith("hs")]
        port = next(int(row[1]) for row in rows if int(row[2]) == 4)
        at = time.monotonic()
        with open(VHCI + "attach", "w") as attach:
            attach.write(f"{port} {theirs.fileno()} {0x10000 + port} {HIGH_SPEED}")
        theirs.close()
        threading.Thread(target=self.serve, args=(ours,), daemon=True).start()
        return at

    def unplug(self):
        with self.lock:
            if self.cable:
                # The reader ends, and with it the last handle of the socket.
                self.cable.shutdown(socket.SHUT_RDWR)
                self.cable = None
            self.waiting.clear()
            self.said.clear()
            self.held.clear()
            self.unplugged()
            self.changed.notify_all()

    def unplugged(self):
        """What else happens when the cable is pulled."""

    def serve(self, cable):
        with cable:
            try:
                while self.transfer(cable):
                    pass
            except OSError:
                pass

    def transfer(self, cable):
        head = exactly(cable, 48)
        if not head:
            return False
        command, number, _, to_host, endpoint, flags_or_number, length = struct.unpack(">7I", head[:28])
        if command == UNLINK:
            self.unlink(cable, number, flags_or_number)
            return True
        data = exactly(cable, length) if not to_host and length else b""
        if data is None:
            return False
        with self.lock:
            if self.cable is not cable:
                return False
            if endpoint == 0:
                answer = self.standard(struct.unpack("<BBHHH", head[40:]), data)
                status = STALL if answer is None else OK
                self.give_back(number, status, (answer or b"")[:length] if to_host else b"", 0 if to_host else length)
            elif to_host:
                self.waiting.setdefault(endpoint, []).append((number, length))
                self.flow(endpoint)
            else:
                self.held.append((number, endpoint, data))
                self.take()
        return True

    def unlink(self, cable, number, of):
        with self.lock:
            if self.cable is not cable:
                return
            before = self.pending()
            self.held[:] = [h for h in self.held if h[0] != of]
            for queue in self.waiting.values():
                queue[:] = [w for w in queue if w[0] != of]
            status = -errno.ECONNRESET if self.pending() < before else 0
            cable.sendall(struct.pack(">IIIIIi24x", RET_UNLINK, number, 0, 0, 0, status))

    def pending(self):
        return len(self.held) + sum(map(len, self.waiting.values()))

    def give_back(self, number, status, data=b"", taken=0):
        if self.cable:
            head = struct.pack(">IIIIIiiiii8x", RET_SUBMIT, number, 0, 0, 0, status, len(data) or taken, 0, 0, 0)
            self.cable.sendall(head + data)

    def say(self, endpoint, *packets):
        """Offers packets to the host; each ends a transfer, as a short packet does."""
        with self.lock:
            self.said.setdefault(endpoint, []).extend(packets)
            self.flow(endpoint)

    def flow(self, endpoint):
        """Answers waiting reads with what was said."""
        waiting, said = self.waiting.get(endpoint, []), self.said.get(endpoint, [])
        while waiting and self.answers(endpoint) == STALL:
            self.give_back(waiting.pop(0)[0], STALL)
        while waiting and said and self.answers(endpoint) == OK:
            number, most = waiting.pop(0)
            packet, rest = said[0][:most], said[0][most:]
            said[:1] = [rest] if rest else []
            self.give_back(number, OK, packet)
        self.changed.notify_all()

    def answers(self, endpoint):
        """Whether an endpoint to the host gives data now: OK, STALL, or None for NAK."""
        return OK

    def take(self):
        """Takes what the host has sent, as far as the device likes."""
        while self.held:
            number, endpoint, data = self.held[0]
            status = self.took(endpoint, data)
            if status is None or not self.held:
                return
            self.held.pop(0)
            self.give_back(number, status, taken=len(data) if status == OK else 0)
        self.changed.notify_all()

    def took(self, endpoint, data):
        """Data from the host: OK, STALL, or None to leave it waiting (NAK)."""
        return OK

    def standard(self, setup, data):
        """A request on the control pipe; None refuses it."""
        kind, request, value, index, _ = setup
        if (kind, request) == (0x80, 6):
            return self.descriptor(value >> 8, value & 0xFF)
        if (kind & 0x60, request) == (0, 0):
            return b"\0\0"
        if kind in (0, 1) and request in (9, 11):
            return b""
        if (kind, request, value) == (2, 1, 0):
            self.cleared(index)
            return b""
        return self.request(kind, request, value, index, data)

    def cleared(self, endpoint):
        """CLEAR_FEATURE(ENDPOINT_HALT)."""

    def request(self, kind, request, value, index, data):
        return None

    def descriptor(self, which, number):
        if which == 1:
            return struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x200, *self.kind, 64, self.vendor, self.product, 0x100,
                               1, 2, 3 if self.texts[2] else 0, 1)
        if which == 2:
            body = b"".join(self.interfaces)
            count = sum(1 for i in self.interfaces)
            return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), count, 1, 0, 0xC0, 50) + body
        if which == 3 and number <= 3:
            text = b"\x09\x04" if number == 0 else self.texts[number - 1].encode("utf-16le")
            return bytes([len(text) + 2, 3]) + text
        return None


def exactly(cable, count):
    data = b""
    while len(data) < count:
        more = cable.recv(count - len(data))
        if not more:
            return None
        data += more
    return data
