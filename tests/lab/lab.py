"""The lab's tests, one after the other, each from a snapshot. See `run` beside this file.

A test is a function with a `Dock`; its module says from which snapshot it wakes up:
- `bare`: the guest has booted, and nothing of backdock is on it;
- `installed`: installed by the commands of the README, shipments and an RMA brought in, not started yet;
- a state of the module's own (suite.py), which goes on from one of these.
"""

import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path

import machine
import suite
from dock import PROJECT, Dock

import power
import printers
import scanners
import service

MODULES = (service, printers, scanners, power)


def tests():
    return [test for module in MODULES for test in module.TESTS]


def make_disk(binary, scratch, change=None):
    """The disk that the guest finds at /lab: what the README installs, from where it says, and the hands."""
    folder = scratch / "lab"
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("systemd", "udev"):
        shutil.copytree(PROJECT / part, folder / part)
    shutil.copytree(PROJECT / "tests/lab/guest/hands", folder / "hands")
    (folder / "target/release").mkdir(parents=True)
    shutil.copy(binary, folder / "target/release/backdock")
    if change:
        change(folder)
    image = scratch / "lab.img"
    image.unlink(missing_ok=True)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", folder, image, f"{size // 1024 * 5 // 4 + 8192}K"],
                   check=True, stdout=subprocess.DEVNULL)
    return image


def in_file(name, old, new):
    """A change of one file on the disk, everywhere the old bytes stand in it."""

    def change(folder):
        path = folder / name
        data = path.read_bytes()
        assert old in data and old != new, f"{name} has no {old!r} to change"
        path.write_bytes(data.replace(old, new))

    return change


# Seeded faults, each with the tests that must turn red. Two of them are changes of the release binary itself, of
# the same length, so that nothing else differs: another pragma for SQLite, and FIOCLEX, an ioctl that does
# nothing here, in place of EVIOCGRAB.
BINARY = "target/release/backdock"
MUTANTS = {
    "wrong udev rule": (in_file("udev/70-backdock.rules", b'GROUP="backdock"', b'GROUP="root"'),
                        ["wedge_a_scan_that_is_cut_off_is_forgotten"]),
    "misspelt udev name": (in_file("udev/70-backdock.rules", b"backdock/scanner-", b"backdock/scaner-"),
                           ["udev_names_what_is_plugged_in"]),
    "synchronous=NORMAL": (in_file(BINARY, b"PRAGMA synchronous=FULL;", b"PRAGMA synchronous=1   ;"),
                           ["no_receipt_is_lost_when_the_power_goes"]),
    "no grab": (in_file(BINARY, (0x40044590).to_bytes(4, "little"), (0x5451).to_bytes(4, "little")),
                ["wedge_types_into_no_console"]),
}


class Lab:
    def __init__(self, image, binary, scratch, accel):
        self.image, self.binary, self.scratch, self.accel = image, binary, scratch, accel
        self.guest = None
        self.snapshots = {"bare": False, "installed": False}
        self.passed = self.failed = 0

    def boot(self, change=None):
        """A guest with its snapshots; `change` alters what is installed."""
        disk = make_disk(self.binary, self.scratch, change)
        folder = self.scratch / "guest-run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.snapshots = {"bare": False, "installed": False}
        self.guest = machine.Guest(self.image, disk, folder, self.accel)
        began = time.monotonic()
        self.guest.start()
        self.guest.save("bare")
        dock = Dock(self.guest)
        dock.install()
        dock.configure()
        dock.bring_in()
        self.guest.save("installed")
        print(f"guest booted and installed on {self.accel}: {time.monotonic() - began:.1f} s", flush=True)

    def run(self, test):
        """One test; what it says when it fails, or None."""
        began = time.monotonic()
        dock = Dock(self.guest)
        wrong = None
        try:
            self.restore(dock, test.snapshot)
            notes = test(dock) or ""
            print(f"ok      {test.name} ({time.monotonic() - began:.1f} s) {notes}".rstrip(), flush=True)
        except Exception:
            wrong = traceback.format_exc()
            try:
                wrong += self.guest.run("journalctl -q --no-pager -u backdock -n 40 -o cat | grep -v '^[a-z-]*.toml:'; dmesg | tail -5")["out"]
            except Exception:
                wrong += self.guest.log("console")
        return wrong

    def restore(self, dock, snapshot):
        """Wakes up in a snapshot; one that is not there yet is made first."""
        if snapshot not in self.snapshots:
            base, prepare = suite.STATES[snapshot]
            self.restore(dock, base)
            prepare(dock)
            self.guest.save(snapshot)
            # Whether the station runs in it.
            self.snapshots[snapshot] = bool(dock.view)
        self.guest.restore(snapshot)
        dock.view = {}
        if self.snapshots[snapshot]:
            dock.watch()

    def run_mutants(self):
        """Each seeded fault must turn its tests red."""
        for name, (change, reds) in MUTANTS.items():
            self.boot(change)
            for test in (test for test in tests() if test.name in reds):
                wrong = self.run(test)
                said = [line for line in (wrong or "").splitlines() if "Error" in line]
                self.passed, self.failed = self.passed + bool(wrong), self.failed + (not wrong)
                print(f"{'ok      red' if wrong else 'FAILED  not seen'}: {name}: {' '.join(said)[:160]}", flush=True)
            self.guest.kill()

    def run_all(self, chosen):
        for test in chosen:
            wrong = self.run(test)
            if wrong is None:
                self.passed += 1
            else:
                self.failed += 1
                print(f"FAILED  {test.name}\n{wrong}", flush=True)


def main():
    if sys.argv[1:] == ["--list"]:
        for test in tests():
            print(f"{test.name:<44} {test.__doc__.splitlines()[0]}")
        return 0
    image, binary, scratch = map(Path, sys.argv[1:4])
    wanted = sys.argv[4:]
    mutants = wanted == ["--mutants"]
    unknown = [] if mutants else [name for name in wanted if name not in [test.name for test in tests()]]
    if unknown:
        print(f"no such test: {' '.join(unknown)}; tests/lab/run --list names them\n0 passed, 1 failed")
        return 1
    lab = Lab(image, binary, scratch, machine.accelerator(image))
    try:
        if mutants:
            lab.run_mutants()
        else:
            lab.boot()
            lab.run_all([test for test in tests() if not wanted or test.name in wanted])
    except Exception:
        lab.failed += 1
        print(f"FAILED  the lab itself\n{traceback.format_exc()}")
    finally:
        if lab.guest:
            lab.guest.kill()
    print(f"{lab.passed} passed, {lab.failed} failed")
    return lab.failed > 0


sys.exit(main())
