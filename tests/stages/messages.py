"""Messages of a real station through other people's mail server, in every way that it can be configured.

Called by the stage `messages`: messages.py BACKDOCK SCRATCH. SCRATCH holds ca.pem, server.pem and server.key.
Each case is a station of its own: a unit is scanned, and what the server got is read by Python's own parser.
Nothing here sleeps: it waits for the server's handler, or for a line of the daemon's log.
"""

import email
import email.policy
import logging
import os
import pathlib
import queue
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

# The server warns of what it is told to do here, and of its own next version.
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
PATIENCE = 60
BACKDOCK, SCRATCH = sys.argv[1], pathlib.Path(sys.argv[2])
USER, PASSWORD = "dock", "p\u00e4ss word!"
PROGRAM = pathlib.Path("programs/voip-reseller.toml").read_text(encoding="utf-8")
CUSTOMER = "J\u00fcrgen M\u00fcller & S\u00f6hne \u2014 \u682a\u5f0f\u4f1a\u793e"
passed = failed = 0


def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SCRATCH / "server.pem", SCRATCH / "server.key")
    return context


def authenticator(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    # Where it is wrong, the server itself says so.
    return AuthResult(success=right, handled=right)


class Handler:
    """Keeps what it is given."""

    def __init__(self):
        self.got = queue.Queue()

    async def handle_DATA(self, server, session, envelope):
        self.got.put((session, envelope))
        return "250 2.0.0 taken"


def controller(handler, tls, auth):
    options = dict(hostname="127.0.0.1", port=0, ready_timeout=PATIENCE)
    if auth:
        options |= dict(authenticator=authenticator, auth_required=True)
    if tls == "starttls":
        options |= dict(tls_context=server_context(), require_starttls=True)
    elif tls == "tls":
        # aiosmtpd does not count a connection that is wrapped as a whole as TLS when it asks for a password.
        options |= dict(ssl_context=server_context(), auth_require_tls=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        options["port"] = free.getsockname()[1]
    running = Controller(handler, **options)
    running.start()
    return running


class Station:
    """The daemon with a reader over TCP, and its log as a queue of lines."""

    def __init__(self, folder, port, tls, more):
        folder.mkdir()
        (folder / "programs").mkdir()
        named = PROGRAM.replace("management = []", 'management = ["boss@example.com", "deputy@example.com"]')
        (folder / "programs" / "voip-reseller.toml").write_text(named, encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.gun = free.getsockname()[1]
        self.config = folder / "backdock.toml"
        self.config.write_text(
            f'[station]\nid = "DOCK9"\ncode = "D9"\ntimezone = "America/Chicago"\ndata = "{folder}/data"\n'
            f'socket = "{folder}/s.sock"\n[web]\nlisten = "127.0.0.1:0"\n[programs]\ndir = "{folder}/programs"\n'
            f'[[scanner]]\nname = "gun"\nkind = "tcp"\nlisten = "127.0.0.1:{self.gun}"\n'
            f'[mail]\nserver = "smtp://localhost:{port}"\ntls = "{tls}"\nfrom = "R\u00fcckgaben <dock@example.com>"\ntimeout = 20\n{more}',
            encoding="utf-8",
        )
        rmas = folder / "rmas.csv"
        rmas.write_text(
            "number,ticket,channel,class,customer,email,issued,reported,diagnosed,qualified,purchase_date,serial\n"
            f'RMA470011,T-1,reseller,advance,"{CUSTOMER}",carl@acme.example,2026-02-20,2026-02-20,yes,yes,2026-02-03,KDX0000001\n',
            encoding="utf-8",
        )
        shipments = folder / "shipments.csv"
        shipments.write_text(
            "serial,mac,brand,model,ship_date,customer,channel\n"
            "KDX0000001,001565000001,Yealink,T46U,2026-02-03,Acme,reseller\n"
        )
        for verb, file in (("shipments", shipments), ("rma", rmas)):
            self.cli(verb, "import", str(file))
        environment = os.environ | {"NO_COLOR": "1"}
        for name in ("RUST_LOG", "JOURNAL_STREAM", "NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY"):
            environment.pop(name, None)
        environment["CREDENTIALS_DIRECTORY"] = str(folder)
        self.lines, self.said = queue.Queue(), []
        self.process = subprocess.Popen(
            [BACKDOCK, "--config", str(self.config), "run"], stderr=subprocess.PIPE, text=True, env=environment
        )
        threading.Thread(target=self.listen, daemon=True).start()
        self.wait(" ready ")

    def cli(self, *words, ok=(0,)):
        done = subprocess.run([BACKDOCK, "--config", str(self.config), *words], capture_output=True, text=True)
        assert done.returncode in ok, done
        return done.stdout

    def listen(self):
        for line in self.process.stderr:
            self.lines.put(line)
        self.lines.put(None)

    def wait(self, what):
        while True:
            line = self.lines.get(timeout=PATIENCE)
            assert line is not None, f"the daemon ended before it said {what!r}: {''.join(self.said)}"
            self.said.append(line)
            if what in line:
                return line

    def scan(self):
        until = time.monotonic() + PATIENCE
        while True:
            try:
                gun = socket.create_connection(("127.0.0.1", self.gun), timeout=PATIENCE)
                break
            except ConnectionRefusedError:
                # Ready, and its reader's thread a moment behind.
                assert time.monotonic() < until, "nobody listens for the scanner"
        with gun:
            gun.sendall(b"RMA470011\rKDX0000001\r")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0
        self.cli("journal", "verify")


def run(name, tls, auth, more="", comes=True, server=None):
    global passed, failed
    handler = Handler()
    there = controller(handler, server or tls, auth)
    try:
        station = Station(SCRATCH / name.replace(" ", "-"), there.port, tls, more)
        try:
            station.scan()
            if comes:
                arrived(station, handler, tls, auth)
            else:
                why = station.wait("message not sent yet")
                assert handler.got.empty(), "it came through"
                assert "owed" in station.cli("outbox"), "it is not owed any more"
                print(f"        {why.strip().split(' why=')[1][:150]}")
        finally:
            station.stop()
    except Exception as why:  # noqa: BLE001 - whatever it is, the case has failed
        failed += 1
        print(f"FAILED  {name}: {type(why).__name__}: {why}")
    else:
        passed += 1
        print(f"ok      {name}")
    finally:
        there.stop()


def arrived(station, handler, tls, auth):
    for _ in range(2):
        station.wait("message sent")
    mails = {}
    for _ in range(2):
        session, envelope = handler.got.get(timeout=PATIENCE)
        assert (session.ssl is not None) == (tls == "starttls"), session.ssl
        assert bool(session.authenticated) == auth
        assert envelope.mail_from == "dock@example.com"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert not mail.defects, mail.defects
        mails[tuple(envelope.rcpt_tos)] = mail
    assert set(mails) == {("boss@example.com", "deputy@example.com"), ("carl@acme.example",)}, set(mails)
    for to, mail in mails.items():
        assert [a.addr_spec for a in mail["to"].addresses] == list(to)
        assert mail["from"].addresses[0].display_name == "R\u00fcckgaben"
        assert "RMA470011" in mail["subject"], mail["subject"]
        assert mail["message-id"].startswith("<backdock.DOCK9."), mail["message-id"]
        assert mail["auto-submitted"] == "auto-generated"
        assert mail["date"].datetime is not None
        text = mail.get_content()
        assert CUSTOMER in text or to != ("boss@example.com", "deputy@example.com"), text
        assert "T-1" in text and "KDX0000001" in text, text
    assert "Verdict" in mails[("boss@example.com", "deputy@example.com")].get_content()
    assert "Verdict" not in mails[("carl@acme.example",)].get_content()
    assert handler.got.empty(), "more than was owed"


password = SCRATCH / "password"
password.write_text(PASSWORD + "\n", encoding="utf-8")
wrong = SCRATCH / "wrong"
wrong.write_text("guess\n")
ca = f'ca_file = "{SCRATCH}/ca.pem"\n'
login = f'user = "{USER}"\npassword_file = "{password}"\n'

run("in the clear", "none", False)
run("over STARTTLS", "starttls", False, ca)
run("over STARTTLS with a password", "starttls", True, ca + login)
run("over TLS with a password", "tls", True, ca + login)
run("a certificate that nobody vouches for", "starttls", False, comes=False)
run("a certificate that nobody vouches for, over TLS", "tls", False, comes=False)
run("a wrong password", "starttls", True, ca + login.replace(str(password), str(wrong)), comes=False)
run("a password that systemd did not pass", "starttls", True, ca + login.replace(str(password), "mail-password"), comes=False)
run("a server without STARTTLS", "starttls", False, ca, comes=False, server="none")
print(f"{passed} passed, {failed} failed")
