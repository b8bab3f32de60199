"""Power cuts at random moments, on a disk that forgets what was not flushed.

The data folder lies on a disk of its own (disk.py). Somebody scans without pause; what the screen says was
received leaves the guest at once. Then the power goes, every other time right behind a write of the guest's, when
the disk has most to forget: QEMU is killed, and the disk keeps what chance leaves of its cache. After the cut the same disk is put into a machine that has just started: the journal must be whole,
and every receipt that the screen showed must stand in it.
"""

import os
import random
import subprocess
import time

from disk import Disk
from dock import RMA, UNITS, scanner
from machine import PATIENCE
from suite import state, suite

TESTS, test = suite()
CUTS = 10
# A receipt takes some five writes; there are more than so many to come.
WRITES = 100
SEED = int(os.environ.get("BACKDOCK_SEED") or random.randrange(1 << 32))


@state()
def before_the_power_goes(dock):
    """A scanner is plugged in; the data wait beside the place where their disk will be."""
    dock.configure(scanner("/dev/backdock/scanner-S1"))
    dock.plug("gun", "serial")
    dock.sh("udevadm settle; cp -a /var/lib/backdock /root/data; rm -rf /var/lib/backdock/*")


class Machine:
    """The dock's computer with its disk, from one power cut to the next."""

    def __init__(self, dock):
        self.dock, self.folder = dock, dock.guest.folder
        self.image, self.socket = self.folder / "data.img", self.folder / "data.sock"
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", self.image, "48M"], check=True, stdout=subprocess.DEVNULL)
        self.disk = None

    def switch_on(self):
        guest = self.dock.guest
        if self.disk:
            guest.restore("before_the_power_goes")
        self.socket.unlink(missing_ok=True)
        with guest.inside():
            self.disk = Disk("data.img", "data.sock")
        guest.qmp("blockdev-add", driver="nbd", **{"node-name": "data", "server": {"type": "unix", "path": "data.sock"}})
        guest.qmp("device_add", driver="scsi-hd", drive="data", id="data", bus="scsi.0")
        self.dock.sh("until [ -b /dev/sda ]; do sleep 0.05; done; mount /dev/sda /var/lib/backdock")

    def power_cut(self, dice):
        self.dock.guest.process.kill()
        mode = dice.choice(("nothing", "some", "all"))
        share = {"nothing": 0.0, "some": 0.5, "all": 1.0}[mode]
        unsafe = self.disk.power_cut(lambda n: [at for at in range(n) if dice.random() < share])
        return f"{mode} of {unsafe}"


def start(dock):
    """The daemon, and the page of this life."""
    dock.sh("systemctl start backdock")
    dock.watch()
    dock.scanner_is("present")


def owed(dock):
    """What was shown as received and does not stand in the journal."""
    dock.verify()
    received = dock.received()
    assert len(received) == len(set(received)), "received twice"
    return sorted(dock.shown - set(received)), set(received)


@test("before_the_power_goes")
def no_receipt_is_lost_when_the_power_goes(dock):
    """Ten power cuts: the journal is whole, and all that was shown as received stands in it."""
    print(f"        to repeat: BACKDOCK_SEED={SEED}", flush=True)
    dice = random.Random(SEED)
    machine = Machine(dock)
    machine.switch_on()
    dock.sh("cp -a /root/data/. /var/lib/backdock/; chown --reference=/root/data /var/lib/backdock; chmod 700 /var/lib/backdock; sync")
    received, cuts = set(), []
    for cut in range(CUTS):
        start(dock)
        if not (dock.view["box"] or {}).get("rma"):
            assert dock.scan(RMA) == "box_open"
        todo = [serial for serial in UNITS if serial not in received]
        shown = len(dock.shown)
        dock.call("scans", name="gun", payloads=todo[: len(UNITS) // CUTS], pause=0.02)
        dock.wait("the first receipts", lambda view: len(dock.shown) > shown)
        if cut % 2:
            machine.disk.strike(dice.randrange(1, WRITES))
            until = time.monotonic() + PATIENCE
            while not machine.disk.struck.is_set():
                dock.look(0.01)
                assert time.monotonic() < until, "the disk is not written to"
        else:
            until = time.monotonic() + dice.uniform(0.0, 1.5)
            while time.monotonic() < until:
                dock.look()
        lost = machine.power_cut(dice)
        dock.hear_the_last()
        machine.switch_on()
        missing, received = owed(dock)
        cuts.append(f"{len(received)} received, {lost} unsafe sectors kept")
        assert not missing, f"shown as received, and gone after cut {cut + 1} ({'; '.join(cuts)}): {missing}"
    return f"{CUTS} cuts, {len(dock.shown)} receipts shown; " + "; ".join(cuts)
