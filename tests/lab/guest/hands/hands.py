"""The lab's hands inside the guest: run a command, plug a device in, scan, look at the page.

Orders come as lines of JSON through a virtio-serial port, `{"id": 1, "call": "sh", "with": {...}}`, and each is
answered by `{"id": 1, "answer": ...}` or `{"id": 1, "error": "..."}`, one after the other. What the station's
page shows is passed on through a second port, view by view, as the daemon publishes it.

It runs from before the snapshot on, so that no test waits for an interpreter to start.
"""

import json
import os
import socket
import subprocess
import threading
import time
import traceback

import kinds

PORTS = "/dev/virtio-ports/"
plugged = {}
looking = []  # the open page


def hello():
    with open("/proc/sys/kernel/random/boot_id") as boot:
        return boot.read().strip()


def clock(at):
    """A snapshot wakes up in the past."""
    time.clock_settime(time.CLOCK_REALTIME, at)


def sh(command, stdin="", patience=120):
    done = subprocess.run(["bash", "-c", command], input=stdin.encode(), capture_output=True, timeout=patience)
    return {"code": done.returncode, "out": done.stdout.decode(errors="replace"), "err": done.stderr.decode(errors="replace")}


def plug(name, kind, **options):
    """Answers with the time at which it went in, monotonic seconds."""
    if not os.path.isdir("/sys/devices/platform/vhci_hcd.0"):
        subprocess.run(["modprobe", "vhci_hcd"], check=True)
    plugged[name] = kinds.KINDS[kind](**options)
    return plugged[name].plug()


def unplug(name):
    plugged.pop(name).unplug()


def device(name, what, **options):
    """Calls a device: `scan`, `set`, `state`."""
    return getattr(plugged[name], what)(**options)


def scans(name, payloads, pause):
    """Scans one after the other, `pause` seconds apart, and does not wait for the end."""

    def go(device):
        for payload in payloads:
            device.scan(payload)
            time.sleep(pause)

    threading.Thread(target=go, args=(plugged[name],), daemon=True).start()


def watch(address="127.0.0.1:8631"):
    """Passes the page's views on from now on; said again, it opens the page anew."""
    if not looking:
        threading.Thread(target=look, args=(address,), daemon=True).start()
    for page in looking:
        page.shutdown(socket.SHUT_RDWR)


def look(address):
    """Passes views on, each with the time it came; looks again when the daemon is started again."""
    host, port = address.rsplit(":", 1)
    out = os.open(PORTS + "page", os.O_WRONLY)
    while True:
        try:
            with socket.create_connection((host, int(port)), timeout=5) as page:
                looking[:] = [page]
                page.settimeout(10)
                page.sendall(b"GET /events HTTP/1.0\r\nHost: %s\r\n\r\n" % address.encode())
                for line in page.makefile("rb"):
                    if line.startswith(b"data: {"):
                        stamp = b'{"seen": %f, "view": ' % time.monotonic()
                        whole(out, stamp + line[len(b"data: "):].strip() + b"}\n")
        except OSError:
            pass
        whole(out, b'{"gone": true}\n')
        time.sleep(0.1)


def whole(out, data):
    while data:
        data = data[os.write(out, data):]


CALLS = {call.__name__: call for call in (hello, clock, sh, plug, unplug, device, scans, watch)}


def main():
    port = os.open(PORTS + "hands", os.O_RDWR)
    pending = b""
    while True:
        more = os.read(port, 1 << 16)
        if not more:
            # Nobody holds the other end: the guest is being moved from one process into another.
            time.sleep(0.02)
            continue
        *lines, pending = (pending + more).split(b"\n")
        for line in filter(None, lines):
            try:
                order = json.loads(line)
                answer = {"id": order["id"], "answer": CALLS[order["call"]](**order.get("with", {}))}
            except Exception:
                answer = {"id": order.get("id"), "error": traceback.format_exc()}
            whole(port, json.dumps(answer).encode() + b"\n")


main()
