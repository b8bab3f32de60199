"""The service as systemd runs it, and the devices as udev names them."""

from dock import ENABLE, UNITS, RMA, ZEBRA, printer, scanner
from suite import state, suite

TESTS, test = suite()
GUN = "/dev/backdock/scanner-S1"


def pid(dock):
    return int(dock.sh("systemctl show -P MainPID backdock"))


@state()
def running(dock):
    """A station with a serial scanner and a printer on USB, ready."""
    dock.zebra()
    dock.configure(scanner(GUN), printer(f"usb://{ZEBRA}"))
    dock.plug("gun", "serial")
    dock.plug_zebra()
    dock.start()
    dock.scanner_is("present")
    dock.ready()


@test("bare")
def the_readme_installs_it(dock):
    """Before it nobody but root may open a device; after every command of the README's Install section the station's
    user may, and the station runs."""
    dock.sh("install -m 755 /lab/target/release/backdock /usr/bin/backdock; useradd -M backdock")
    dock.zebra()
    dock.plug("gun", "serial")
    dock.plug("pos", "hid-pos", serial="P1")
    dock.plug("typist", "wedge", serial="W1")
    dock.plug_zebra()
    dock.sh("until ls /dev/serial/by-id/*S1* /dev/usb/lp0 /dev/input/by-id/*W1*; do sleep 0.05; done > /dev/null 2>&1; udevadm settle; test ! -e /dev/backdock")

    def seen():
        found = dock.as_station("devices --json")
        serial = next((port for port in found["serial"] if port["path"] == "/dev/ttyACM0"), None)
        assert serial, found
        usb = {one["serial_number"]: one["state"] for one in found["usb"]}
        assert {"P1", "W1"} <= set(usb), found
        return serial["may_open"], found["usb_printers"][0]["state"], usb["P1"], usb["W1"], str(found)

    *states, said = seen()
    assert states == [False, "denied", "denied", "denied"], said
    assert "usermod -aG dialout backdock" in said and "usermod -aG lp backdock" in said, said
    assert "70-backdock.rules" in said, said
    dock.sh("userdel backdock")
    dock.install()
    *states, said = seen()
    assert states == [True, "present", "present", "present"], said
    dock.configure(scanner(GUN))
    dock.sh(ENABLE)
    dock.watch()
    dock.scanner_is("present")
    assert dock.sh("systemctl is-enabled backdock").strip() == "enabled"
    assert dock.sh("stat -c '%U %a' /var/lib/backdock /run/backdock").split() == ["backdock", "710", "backdock", "700"]


@test()
def a_port_that_the_service_may_not_have_is_denied(dock):
    """Not the file's permissions but the service's list of devices is in the way: said, with the line that helps."""
    change = "/etc/systemd/system/backdock.service.d/override.conf"
    dock.sh(f"install -D /dev/stdin {change}; systemctl daemon-reload", "[Service]\nDeviceAllow=\nDeviceAllow=char-4 rw\n")
    dock.configure(scanner(GUN))
    dock.plug("gun", "serial")
    dock.sh("udevadm settle")
    dock.start()
    dock.scanner_is("denied")
    reason = next(s["reason"] for s in dock.view["scanners"] if s["name"] == "gun")
    assert "systemctl edit backdock" in reason and "DeviceAllow=char-166 rw" in reason, reason
    dock.sh(f"printf 'DeviceAllow=char-166 rw\\n' >> {change}; systemctl daemon-reload; systemctl restart backdock")
    dock.gone()
    dock.scanner_is("present")


@test()
def udev_names_what_is_plugged_in(dock):
    """Names that stay, for devices that were there before the rules and for those that come after."""
    dock.zebra()
    dock.plug("gun", "serial")
    dock.plug_zebra()
    # The kernel tells udev some time after the plug; a name that does not come fails by the time limit of a command.
    dock.sh(f"until [ -e /dev/backdock/printer-{ZEBRA} -a -e {GUN} ]; do sleep 0.05; done; udevadm settle")
    names = dock.sh("ls /dev/backdock").split()
    assert f"printer-{ZEBRA}" in names and "scanner-S1" in names, names
    assert [name for name in names if name.startswith("socket-platform-vhci_hcd")], names
    assert dock.sh(f"readlink -f {GUN} /dev/backdock/printer-{ZEBRA}").split() == ["/dev/ttyACM0", "/dev/usb/lp0"]
    for device in ("/dev/ttyACM0", "$(udevadm info -q path /dev/ttyACM0 | sed 's|/[^/]*/tty/.*||; s|^|/sys|')"):
        about = dock.sh(f"udevadm info {device}")
        assert "E: ID_MM_DEVICE_IGNORE=1" in about and "E: ID_BACKDOCK=scanner" in about, about
    dock.unplug("gun")
    dock.sh(f"udevadm settle; while [ -e {GUN} ]; do sleep 0.05; done")


@test()
def systemd_finds_nothing_to_say(dock):
    """`systemd-analyze verify` is silent, and `security` gives 1.5 at most, of the unit as it is loaded."""
    said = dock.run("systemd-analyze verify /etc/systemd/system/backdock.service 2>&1")["out"]
    assert "backdock" not in said, said
    said = dock.run("systemd-analyze security --no-pager --threshold=15 backdock.service 2>&1")
    assert said["code"] == 0, said["out"]
    return said["out"].strip().splitlines()[-1]


@test()
def it_starts_at_boot(dock):
    """After a restart of the machine nobody has to do anything."""
    dock.configure(scanner(GUN))
    dock.sh("systemctl enable backdock")
    dock.guest.reboot()
    dock.plug("gun", "serial")
    dock.watch()
    dock.scanner_is("present")
    assert dock.scan(RMA) == "box_open"
    dock.receive(UNITS[0])


@test("running")
def a_killed_daemon_is_back(dock):
    """kill -9 in the middle of a box: the box is still open, and the next unit is received."""
    assert dock.scan(RMA) == "box_open"
    dock.receive(UNITS[0])
    before = pid(dock)
    dock.sh(f"kill -9 {before}")
    dock.gone()
    dock.wait("the box of before", lambda view: (view["box"] or {}).get("rma") == RMA)
    dock.scanner_is("present")
    dock.ready()
    dock.receive(UNITS[1])
    dock.came_out(2)
    assert pid(dock) != before
    dock.adds_up()


@test("running")
def a_hanging_daemon_is_killed_and_back(dock):
    """SIGSTOP: systemd's watchdog notices, and starts it again."""
    before = pid(dock)
    dock.sh(f"kill -STOP {before}")
    dock.sh(f"while [ $(systemctl show -P MainPID backdock) = {before} ]; do sleep 0.2; done")
    dock.gone()
    dock.scanner_is("present")
    dock.ready()
    assert "watchdog" in dock.sh("journalctl -q -u backdock -o cat").lower()
    assert dock.scan(RMA) == "box_open"


@test()
def a_wrong_configuration_keeps_it_down(dock):
    """Exit code 2 is a person's business: no restart buries the message."""
    dock.configure(scanner(GUN), "[[printer]]\nname = 'zebra'\nlunk = 'usb://X'\n")
    dock.run("systemctl start backdock")
    dock.sh("while systemctl is-active -q backdock; do sleep 0.1; done")
    about = dock.sh("systemctl show -p ExecMainStatus -p NRestarts backdock").split()
    assert sorted(about) == ["ExecMainStatus=2", "NRestarts=0"], about
    said = dock.sh("journalctl -q -u backdock -o cat")
    assert "lunk" in said and "link" in said, said


@test("running")
def the_sandbox_holds(dock):
    """No capability, no new privilege, no disk, no home, nothing to write but its own data."""
    daemon = pid(dock)
    status = dict(line.split(":\t", 1) for line in dock.sh(f"cat /proc/{daemon}/status").splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, status
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    assert status["Uid"].split() == [dock.sh("id -u backdock").strip()] * 4, status
    # Through its own mounts even root writes nowhere else, and it executes nothing else.
    root = f"/proc/{daemon}/root"
    for folder in ("/etc", "/usr", "/var/lib", "/boot"):
        refused = dock.run(f"touch {root}{folder}/x")
        assert "Read-only file system" in refused["err"], f"{folder}: {refused}"
    dock.sh(f"touch {root}/var/lib/backdock/x && rm {root}/var/lib/backdock/x")
    assert dock.run(f"ls -A {root}/root {root}/home | grep -v :")["out"].strip() == ""
    assert "Permission denied" in dock.run(f"nsenter -t {daemon} -m -- touch /tmp/x")["err"]
    # In its control group: the devices of a dock and no disk.
    joined = "echo $BASHPID > /sys/fs/cgroup/system.slice/backdock.service/cgroup.procs;"
    for device in ("/dev/vda", "/dev/mem"):
        assert "Operation not permitted" in dock.run(f"({joined} head -c1 {device})")["err"], device
    dock.sh(f"({joined} exec 3<> /dev/bus/usb/001/001)")
