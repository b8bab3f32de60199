"""One guest under QEMU: started, stopped, and brought back to a snapshot.

A guest is a process of QEMU over an overlay of the built image; every test gets a new process that wakes up in
a snapshot (about a second), so that nothing of one test is left for the next. `Guest` speaks to the hands
inside (guest/hands/hands.py) and to QEMU's monitor (QMP). Never more than one guest runs at a time.

KVM where it works: the kernel must give out a machine, and the guest must boot on it. Else software emulation,
ten times slower, with the same results.
"""

import ctypes
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

# How long anything may take that is no more than slow; no test measures time against it.
PATIENCE = 60

PR_SET_PDEATHSIG = 1


class Broken(Exception):
    """The lab itself does not work: no verdict about backdock."""


def kvm_works(image):
    """Whether the guest's kernel says a word on KVM. A kernel that hands out /dev/kvm is not enough: inside
    some virtual machines it takes the guest and never runs it."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    # The kernel panics for want of a disk, and that ends QEMU.
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-accel", "kvm", "-cpu", "host",
               "-m", "256", "-no-reboot", "-kernel", f"{image}/vmlinuz", "-append", "console=ttyS0 panic=-1",
               "-serial", "stdio"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=5, preexec_fn=die_with_parent)
        return b"Linux version" in done.stdout
    except subprocess.TimeoutExpired:
        return False


def accelerator(image):
    return os.environ.get("LAB_ACCEL") or ("kvm" if kvm_works(image) else "tcg")


class Lines:
    """A socket that carries one JSON object a line."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.pending = b""

    def send(self, what):
        self.socket.sendall(json.dumps(what).encode() + b"\n")

    def receive(self, until):
        while b"\n" not in self.pending:
            self.socket.settimeout(max(until - time.monotonic(), 0.001))
            more = self.socket.recv(1 << 16)
            if not more:
                raise Broken("the guest is gone")
            self.pending += more
        line, _, self.pending = self.pending.partition(b"\n")
        return json.loads(line)


class Guest:
    """`image`: a folder that guest/build has filled. `lab`: a disk image to be found at /lab inside.
    `folder`: for sockets, overlay and console; it belongs to this guest."""

    def __init__(self, image, lab, folder, accel):
        self.image, self.lab, self.folder, self.accel = Path(image), Path(lab), Path(folder), accel
        self.process = None
        self.order = 0
        overlay = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(self.image / "root.img")]
        subprocess.run([*overlay, str(self.folder / "root.qcow2")], check=True)

    def start(self, snapshot=None):
        """Boots it, or wakes it up in a snapshot; returns when the hands inside answer."""
        kvm = self.accel == "kvm"
        # In software a processor without wide vectors is a tenth faster: programs use them where there are some.
        arguments = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35",
            "-accel", "kvm" if kvm else "tcg,thread=multi,tb-size=512", "-cpu", "host" if kvm else "Nehalem",
            "-smp", "2", "-m", "768", "-rtc", "base=utc",
            "-kernel", str(self.image / "vmlinuz"), "-initrd", str(self.image / "initrd"),
            "-append", "console=ttyS0 quiet mitigations=off audit=0 random.trust_cpu=on panic=1",
            "-drive", "file=root.qcow2,if=virtio,cache=unsafe",
            "-drive", f"file={self.lab},if=virtio,format=raw,readonly=on",
            "-device", "virtio-rng-pci", "-device", "qemu-xhci,id=usb", "-device", "virtio-scsi-pci,id=scsi",
            "-device", "virtio-serial-pci", "-serial", "file:console",
            "-qmp", "unix:qmp,server=on,wait=off",
        ]
        for port in ("hands", "page"):
            arguments += ["-chardev", f"socket,path={port},server=on,wait=off,id={port}",
                          "-device", f"virtserialport,chardev={port},name={port}"]
        # Plugged in by itself when somebody holds the other end.
        for port in ("ftdi0", "ftdi1"):
            arguments += ["-chardev", f"socket,path={port},server=on,wait=off,id={port}"]
        if snapshot:
            arguments += ["-loadvm", snapshot]
        with open(self.folder / "qemu.log", "ab") as log:
            self.process = subprocess.Popen(arguments, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=die_with_parent)
        until = time.monotonic() + PATIENCE
        self.monitor = self.connect("qmp", until)
        self.monitor.receive(until)
        self.qmp("qmp_capabilities")
        self.hands = self.connect("hands", until)
        self.page = self.connect("page", until)
        self.views, self.ended = queue.Queue(), threading.Event()
        threading.Thread(target=pass_on, args=(self.page, self.views, self.ended), daemon=True).start()
        self.answers(until)

    def inside(self):
        """In its folder, for the paths of sockets, which must be short."""
        return at(self.folder)

    def connect(self, name, until):
        with self.inside():
            while True:
                try:
                    return Lines(name)
                except OSError:
                    if self.process.poll() is not None or time.monotonic() > until:
                        raise Broken(f"QEMU does not start:\n{self.log('qemu.log')}") from None
                    time.sleep(0.01)

    def cable(self, port):
        """The far end of a serial cable: what is sent comes out of the device that has this port."""
        with self.inside():
            cable = socket.socket(socket.AF_UNIX)
            cable.connect(port)
            return cable

    def answers(self, until):
        """Waits for the hands, and sets the clock that stood still in the snapshot."""
        while True:
            try:
                boot = self.ask("hello", min(until, time.monotonic() + 5))
                break
            except (TimeoutError, Broken):
                if self.process.poll() is not None or time.monotonic() > until:
                    raise Broken(f"the guest does not answer:\n{self.log('console')}{self.log('qemu.log')}") from None
        self.call("clock", at=time.time())
        return boot

    def kill(self):
        """As if the plug were pulled; what the host holds of the guest's disks is the disk's affair."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            for lines in (self.monitor, self.hands, self.page):
                lines.socket.close()

    def save(self, snapshot):
        said = self.qmp("human-monitor-command", **{"command-line": f"savevm {snapshot}"})
        if said:
            raise Broken(f"savevm: {said}")

    def restore(self, snapshot):
        self.kill()
        self.start(snapshot)

    def reboot(self):
        """An orderly restart, as after a power cut in the evening; returns when the hands are back."""
        boot = self.call("hello")
        self.sh("systemctl --no-block reboot")
        until = time.monotonic() + PATIENCE
        while self.answers(until) == boot:
            time.sleep(0.2)

    def qmp(self, command, **arguments):
        self.monitor.send({"execute": command, "arguments": arguments})
        until = time.monotonic() + PATIENCE
        while True:
            said = self.monitor.receive(until)
            if "error" in said:
                raise Broken(f"{command}: {said['error']}")
            if "return" in said:
                return said["return"]

    def call(self, what, /, within=PATIENCE, **options):
        """One order to the hands."""
        return self.ask(what, time.monotonic() + within, **options)

    def ask(self, what, until, /, **options):
        self.order += 1
        self.hands.send({"id": self.order, "call": what, "with": options})
        while True:
            said = self.hands.receive(until)
            if said["id"] != self.order:
                continue  # of an order that nobody waited for
            if "error" in said:
                raise Broken(f"{what}: {said['error']}")
            return said["answer"]

    def run(self, command, stdin="", patience=PATIENCE):
        """A shell command inside: {code, out, err}."""
        return self.call("sh", within=patience + 5, command=command, stdin=stdin, patience=patience)

    def sh(self, command, stdin="", patience=PATIENCE):
        """The same, which must succeed: its output."""
        done = self.run(command, stdin, patience)
        assert done["code"] == 0, f"{command}\nexit code {done['code']}\n{done['out']}{done['err']}"
        return done["out"]

    def log(self, name):
        try:
            return (self.folder / name).read_text(errors="replace")[-3000:]
        except OSError:
            return ""


def pass_on(page, views, ended):
    """Until the guest is gone; half a line is not said."""
    try:
        while True:
            views.put(page.receive(time.monotonic() + 1e6))
    except (OSError, Broken, ValueError):
        ended.set()


class at:
    """The working folder, for a moment."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.before = os.getcwd()
        os.chdir(self.folder)

    def __exit__(self, *_):
        os.chdir(self.before)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
