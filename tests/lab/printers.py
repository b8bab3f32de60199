"""USB printers through the kernel's own stack: `usb://` by libusb, and `lp://` by usblp.

What must hold of every link (tests/links.rs has the list, with stand-ins for the hardware) is asked here of the
whole station: units are scanned, and the Zebra at the other end of the cable keeps what came out. Nothing is
begun twice, printed is what the printer's own count proves, and everything else is in doubt.
"""

from dock import OTHER_ZEBRA, RMA, UNITS, ZEBRA, printer, scanner
from suite import state, suite

TESTS, test = suite()
WAYS = ("usb", "lp")


def printing(dock, way):
    """A station with an open box and a printer that has printed one label."""
    dock.zebra()
    dock.zebra(OTHER_ZEBRA)
    dock.configure(scanner("/dev/backdock/scanner-S1"), printer(f"{way}://{ZEBRA}"))
    dock.plug("gun", "serial")
    dock.plug_zebra()
    dock.start()
    dock.scanner_is("present")
    dock.ready()
    assert dock.scan(RMA) == "box_open"
    prints(dock, UNITS[0], 1)


@state()
def usb_printing(dock):
    printing(dock, "usb")


@state()
def lp_printing(dock):
    printing(dock, "lp")


def each_way(function):
    """The test once for each way to a USB printer."""
    for way in WAYS:
        def bound(dock, way=way):
            return function(dock, way)

        bound.__doc__ = f"{way}://: {function.__doc__}"
        test(f"{way}_printing", f"{way}_{function.__name__}")(bound)
    return function


def prints(dock, serial, total):
    """One unit, its label, and the count as the judge."""
    dock.receive(serial)
    dock.came_out(total)
    assert dock.paper().get(serial) == 1


@each_way
def labels_come_out(dock, way):
    """Scans become labels, the printer's count says so, and `devices` says who has the printer."""
    dock.receive(*UNITS[1:4])
    dock.came_out(4)
    assert dock.paper() == {serial: 1 for serial in UNITS[:4]}
    assert {job["state"] for job in dock.jobs().values()} == {"printed"}
    assert dock.json("devices --json")["printers"][0]["state"] == "busy"
    assert dock.device("zebra", "state")["begun"] == 4
    dock.adds_up()


@each_way
def a_label_that_is_cut_off_is_in_doubt(dock, way):
    """Unplugged at a byte of a label, and plugged in again: doubt, and never a second time."""
    whole = len(dock.sh(f"cat /tmp/{ZEBRA}/000001.zpl"))
    out = 1
    for serial, after in zip(UNITS[1:], {"usb": (0, whole // 2, whole), "lp": (whole - 1, whole)}[way]):
        dock.ready()
        dock.device("zebra", "set", cut=[1 + dock.device("zebra", "state")["begun"], after])
        dock.receive(serial)
        dock.printer_is("lost", "unplugged")
        assert not dock.device("zebra", "state")["plugged"]
        dock.plug_zebra()
        dock.ready()
        job = dock.jobs()[serial]
        if after == whole:
            # It is out, and the count proves it although the cable was gone by then.
            out += 1
            assert job["state"] == "printed", job
        else:
            assert job["state"] == "in-doubt" and "1 asked, 0 came out" in job["note"], job
        assert dock.device("zebra", "state")["begun"] == 0, "it was begun again"
    prints(dock, UNITS[9], out + 1)
    dock.adds_up()


@each_way
def a_silent_printer_is_said_to_be_silent(dock, way):
    """Questions stay unanswered: shown, given up, and over when it speaks again."""
    dock.device("zebra", "set", mute=True)
    dock.printer_is("attention", "silent")
    dock.receive(UNITS[1])
    dock.printer_is("lost", "silent")
    dock.device("zebra", "set", mute=False)
    dock.came_out(2)
    dock.adds_up()


@each_way
def a_printer_that_takes_nothing_is_waited_for(dock, way):
    """NAK in front of labels and questions: no byte is lost or doubled, and it all comes out."""
    dock.device("zebra", "set", hold=True)
    dock.receive(UNITS[1])
    dock.printer_is("attention")
    dock.receive(UNITS[2])
    assert dock.device("zebra", "state")["begun"] == 1
    dock.device("zebra", "set", hold=False)
    dock.came_out(3)
    assert dock.paper() == {serial: 1 for serial in UNITS[:3]}
    dock.adds_up()


@each_way
def a_printer_may_be_pulled_out_and_plugged_in(dock, way):
    """Any time, in any socket; what is owed meanwhile waits for it. Another printer gets nothing of it."""
    for round in range(2):
        dock.unplug("zebra")
        dock.printer_is("lost", "unplugged")
        # Somebody else takes the socket meanwhile, and with it the number of the port.
        dock.plug(f"other{round}", "zebra", serial=OTHER_ZEBRA, address="127.0.0.1:9101")
        dock.receive(UNITS[1 + round])
        found = dock.json("devices --json")["usb_printers"]
        assert f"{way}://{OTHER_ZEBRA}" in [link for one in found for link in one["links"]], found
        shown = dock.view["printers"][0]
        assert (shown["state"], shown["waiting"]) == ("lost", 1), shown
        if round == 0:
            dock.unplug("other0")
        dock.plug_zebra()
        dock.came_out(2 + round)
    assert dock.paper(OTHER_ZEBRA) == {}
    dock.adds_up(ZEBRA, OTHER_ZEBRA)


@each_way
def a_held_label_does_not_hold_up_a_stop(dock, way):
    """`systemctl stop` ends in order, and the kernel's driver has the printer again."""
    dock.device("zebra", "set", hold=True)
    dock.receive(UNITS[1])
    dock.printer_is("attention")
    dock.sh("systemctl stop backdock")
    dock.gone()
    assert dock.sh("systemctl show -P Result backdock").strip() == "success"
    dock.device("zebra", "set", hold=False)
    dock.sh("until test -c /dev/usb/lp0 && (exec 3<> /dev/usb/lp0) 2> /dev/null; do sleep 0.1; done")
    # The next life neither loses it nor prints it twice.
    dock.sh("systemctl start backdock")
    dock.ready()
    assert dock.jobs()[UNITS[1]]["state"] in ("printed", "in-doubt")
    dock.adds_up()


@test("usb_printing")
def usb_a_refused_label_is_in_doubt(dock):
    """STALL while a label is sent: nobody knows how much of it went in, so it is not sent again."""
    dock.device("zebra", "set", refuse=True)
    dock.receive(UNITS[1])
    dock.wait("doubt", lambda view: view["in_doubt"])
    dock.ready()
    state = dock.device("zebra", "state")
    assert (state["halted"], state["begun"]) == ([], 2) and state["stalls"] > 0, state
    job = dock.jobs()[UNITS[1]]
    assert job["state"] == "in-doubt" and "1 asked, 0 came out" in job["note"], job
    prints(dock, UNITS[2], 2)
    dock.adds_up()


@test("usb_printing")
def usb_answers_that_are_refused_are_asked_for_again(dock):
    """STALL on the way back: cleared, and the dialogue goes on."""
    dock.device("zebra", "set", halted=["in"])
    prints(dock, UNITS[1], 2)
    state = dock.device("zebra", "state")
    assert state["halted"] == [] and state["stalls"] > 0, state
    dock.adds_up()


@test("lp_printing")
def lp_a_halted_printer_is_shown_until_it_is_plugged_in_again(dock):
    """usblp never takes a STALL back: the station says that something is wrong, and nothing comes out twice."""
    dock.device("zebra", "set", refuse=True)
    dock.receive(UNITS[1])
    dock.wait("trouble", lambda view: view["printers"][0]["state"] in ("attention", "lost"))
    dock.unplug("zebra")
    dock.printer_is("lost", "unplugged")
    dock.plug_zebra()
    dock.ready()
    job = dock.jobs()[UNITS[1]]
    assert job["state"] == "in-doubt" and "1 asked, 0 came out" in job["note"], job
    prints(dock, UNITS[2], 2)
    dock.adds_up()


@test()
def lp_a_printer_that_a_program_holds_is_denied(dock):
    """The print spooler has the port: said, with the command that names it, and ours when it lets go."""
    dock.zebra()
    dock.configure(scanner("/dev/backdock/scanner-S1"), printer(f"lp://{ZEBRA}"))
    dock.plug_zebra()
    dock.sh("until [ -c /dev/usb/lp0 ]; do sleep 0.05; done; udevadm settle; systemd-run -q --unit=spooler bash -c 'exec 3<> /dev/usb/lp0; sleep 1000'")
    dock.sh("until ! (exec 3<> /dev/usb/lp0) 2> /dev/null; do sleep 0.1; done")
    dock.start()
    dock.printer_is("denied", "in_use")
    assert "fuser" in dock.view["printers"][0]["reason"]
    dock.sh("systemctl stop spooler")
    dock.ready()


@test()
def usb_a_printer_that_a_program_holds_is_denied(dock):
    """A program has claimed it by libusb: said, and ours when it lets go."""
    dock.zebra()
    dock.configure(scanner("/dev/backdock/scanner-S1"), printer(f"usb://{ZEBRA}"))
    dock.plug_zebra()
    dock.sh("until [ -c /dev/usb/lp0 ]; do sleep 0.05; done; udevadm settle; until rmmod usblp; do sleep 0.1; done 2> /dev/null")
    node = dock.sh("for d in /sys/bus/usb/devices/*; do [ \"$(cat $d/idVendor 2> /dev/null)\" = 0a5f ] &&"
                   " printf '/dev/bus/usb/%03d/%03d' $(cat $d/busnum $d/devnum); done; true")
    # USBDEVFS_CLAIMINTERFACE of interface 0.
    dock.sh("systemd-run -q --unit=program python3 -c 'import fcntl, struct, time;"
            f" f = open(\"{node}\", \"r+b\", 0); fcntl.ioctl(f, 0x8004550f, struct.pack(\"I\", 0)); print(1, flush=True); time.sleep(1000)'")
    dock.sh("until [ \"$(journalctl -q -u program -o cat | grep -x 1)\" ]; do sleep 0.1; done")
    dock.start()
    dock.printer_is("denied", "in_use")
    dock.sh("systemctl stop program")
    dock.ready()
