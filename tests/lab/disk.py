"""A disk with a volatile write cache, served to QEMU as a network block device.

What the guest writes is in the cache until it flushes, as in a real disk. When the power goes, the disk keeps
what was flushed, and of the rest what chance leaves: nothing, all, or some sectors of it in no order.
(QEMU killed over an ordinary file is too kind: the host still writes everything.)

The protocol is that of the NBD project (doc/proto.md), as much of it as QEMU asks for.
"""

import os
import socket
import struct
import threading

SECTOR = 512
HELLO = b"NBDMAGICIHAVEOPT"
FLAGS = 1 | 4 | 8  # has flags, can flush, can write through (FUA)
EXPORT_NAME, ABORT, INFO, GO = 1, 2, 6, 7
READ, WRITE, LEAVE, FLUSH = range(4)
EINVAL = 22


class Disk:
    """Serves the file `image` at the socket `path` to one guest at a time."""

    def __init__(self, image, path):
        self.file = os.open(image, os.O_RDWR)
        self.size = os.fstat(self.file).st_size
        self.cache = {}  # sector -> bytes that are not safe yet
        self.lock = threading.Lock()
        self.power = True
        self.writes_left = None
        self.struck, self.over = threading.Event(), threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        threading.Thread(target=self.serve, daemon=True).start()

    def strike(self, writes):
        """The power goes right behind so many writes from now on: `struck` is set then, and no request is answered
        any more, as on a machine that is off."""
        with self.lock:
            self.writes_left = writes

    def power_cut(self, chance):
        """Nothing is taken any more. `chance(n)` says which of n unsafe sectors survive. Returns n."""
        with self.lock:
            self.power = False
            sectors = sorted(self.cache)
            for at in chance(len(sectors)):
                os.pwrite(self.file, self.cache[sectors[at]], sectors[at] * SECTOR)
            self.cache.clear()
        self.over.set()
        self.listener.close()
        os.close(self.file)
        return len(sectors)

    def serve(self):
        try:
            line, _ = self.listener.accept()
            with line:
                if self.greet(line):
                    while self.request(line):
                        pass
        except OSError:
            pass

    def greet(self, line):
        line.sendall(HELLO + struct.pack(">H", 3))
        exactly(line, 4)
        while True:
            _, option, length = struct.unpack(">8sII", exactly(line, 16))
            exactly(line, length)

            def reply(kind, data=b""):
                line.sendall(struct.pack(">QIII", 0x3E889045565A9, option, kind, len(data)) + data)

            if option == EXPORT_NAME:
                line.sendall(struct.pack(">QH", self.size, FLAGS))
                return True
            if option in (INFO, GO):
                reply(3, struct.pack(">HQH", 0, self.size, FLAGS))
                reply(1)
                if option == GO:
                    return True
            elif option == ABORT:
                reply(1)
                return False
            else:
                reply(0x80000001)

    def request(self, line):
        _, flags, what, handle, offset, length = struct.unpack(">IHHQQI", exactly(line, 28))
        data = exactly(line, length) if what == WRITE else b""
        error = 0
        with self.lock:
            if not self.power or what == LEAVE:
                return False
            self.writes_left = self.writes_left and self.writes_left - (what == WRITE)
            if what == READ:
                data = self.read(offset, length)
            elif what == WRITE:
                self.write(offset, data, safe=bool(flags & 1))
            elif what == FLUSH:
                self.flush(list(self.cache))
            else:
                error = EINVAL
            self.power = self.writes_left != 0
        if not self.power:
            self.struck.set()
            self.over.wait()
            return False
        line.sendall(struct.pack(">IIQ", 0x67446698, error, handle) + (data if what == READ else b""))
        return True

    def read(self, offset, length):
        data = bytearray(os.pread(self.file, length, offset))
        for at in range(0, length, SECTOR):
            unsafe = self.cache.get((offset + at) // SECTOR)
            if unsafe:
                data[at : at + SECTOR] = unsafe
        return bytes(data)

    def write(self, offset, data, safe):
        sectors = range(offset // SECTOR, (offset + len(data)) // SECTOR)
        for n, sector in enumerate(sectors):
            self.cache[sector] = data[n * SECTOR : (n + 1) * SECTOR]
        if safe:
            self.flush(sectors)

    def flush(self, sectors):
        for sector in sectors:
            os.pwrite(self.file, self.cache.pop(sector), sector * SECTOR)


def exactly(line, count):
    data = b""
    while len(data) < count:
        more = line.recv(count - len(data))
        if not more:
            raise OSError("the guest is gone")
        data += more
    return data
