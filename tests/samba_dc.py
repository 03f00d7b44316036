"""A private Active Directory domain controller (Samba), for tests.

    samba_dc.enter()                 # first of all: runs this script again
    with samba_dc.SambaDc() as dc:
        sys.exit(dc.run([program]))

Its ports are fixed (389, 636), so it runs with the test in a network namespace of their
own, where nothing else is; all its files are in a temporary folder. The domain takes
about three seconds to make. It is stopped by its own process handle, and ends with the
test if that is killed.
"""

import fcntl
import json
import os
import pathlib
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

import certificates
import private_server

SUFFIX = "DC=ad,DC=example,DC=test"
SAMBA = "/usr/sbin/samba"
# Debian's: Samba's modules are for it.
PYTHON = "/usr/bin/python3"
MODULES = ("/usr/lib/python3/dist-packages/samba/provision/__init__.py",
           "/usr/share/samba/setup/provision.ldif")
INSIDE = "WINGMAN_TEST_NETWORK"
SOURCE = pathlib.Path(__file__).resolve().parent

CONFIGURATION = """[global]
	netbios name = DC1
	realm = AD.EXAMPLE.TEST
	workgroup = ADEX
	server role = active directory domain controller
	server services = ldap
	interfaces = lo
	bind interfaces only = yes
	private dir = {0}/private
	lock directory = {0}
	state directory = {0}/state
	cache directory = {0}/cache
	pid directory = {0}
	ncalrpc dir = {0}/ncalrpc
	winbindd socket directory = {0}/winbindd
	ntp signd socket directory = {0}/ntp
	log file = {0}/log
	tls keyfile = {0}/good.key
	tls certfile = {0}/good.pem
	tls cafile = {0}/good.pem
"""


def _unshare(*more):
    return ["unshare", "--net", *more]


def _ways():
    """As root, or as somebody who may be root in a namespace."""
    return ([_unshare()] if os.geteuid() == 0 else []) + [_unshare("--user", "--map-root-user")]


def missing():
    """Why no domain controller can be started here, or None."""
    for file in (SAMBA, PYTHON, *MODULES):
        if not os.path.exists(file):
            return f"{file} is not installed"
    tried = ""
    for way in _ways():
        done = subprocess.run([*way, "true"], capture_output=True, text=True)
        if done.returncode == 0:
            return None
        tried = " ".join(done.stderr.split())
    return f"network namespaces are not permitted here ({tried}), and its ports are fixed"


def enter():
    """Go on in a network namespace with a loopback of its own, or print why to skip."""
    if os.environ.get(INSIDE):
        with socket.socket() as s:  # SIOCSIFFLAGS: up, running
            fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
        return
    reason = missing()
    if reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit(0)
    os.environ[INSIDE] = "own"
    for way in _ways():
        if subprocess.run([*way, "true"], stderr=subprocess.DEVNULL).returncode == 0:
            os.execvp(way[0], [*way, sys.executable, *sys.argv])


class SambaDc(private_server.PrivateServer):
    def __init__(self):
        super().__init__()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="samba-test-"))
        try:
            self._make()
            if not self.start():
                raise RuntimeError("samba does not start: " + self.output())
        except BaseException:
            self.close()
            raise

    def _make(self):
        passwords = {name: "Aa1-" + secrets.token_hex(12)
                     for name in ("administrator", "service", "weak")}
        made = subprocess.run([PYTHON, SOURCE / "live/samba_domain.py", self.folder],
                              input=json.dumps(passwords), text=True, capture_output=True,
                              env={**os.environ, "PYTHONPATH": ""})
        if made.returncode != 0:
            raise RuntimeError("no domain: " + made.stderr[-2000:])
        for name, password in passwords.items():
            path = self.folder / f"{name}.password"
            path.touch(0o600)
            path.write_text(password)
        certificates.make(self.folder, "good")
        certificates.make(self.folder, "wrong")
        (self.folder / "own.conf").write_text(CONFIGURATION.format(self.folder))

    def start(self):
        with open(self.folder / "output", "ab") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", SAMBA, "--foreground", "--no-process-group",
                 "--model=single", "--debug-stdout", "-s", self.folder / "own.conf"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        return self.answers(389) and self.answers(636)

    def output(self):
        return (self.folder / "output").read_text(errors="replace")[-2000:]

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def environment(self):
        def file(name):
            return str(self.folder / name)
        return {
            "DIRECTORY_URI": "ldaps://127.0.0.1",
            "DIRECTORY_CLEAR_URI": "ldap://127.0.0.1",
            "DIRECTORY_CA": file("good.pem"),
            "DIRECTORY_WRONG_CA": file("wrong.pem"),
            "DIRECTORY_SERVICE": "wingman@ad.example.test",
            "DIRECTORY_SERVICE_FILE": file("service.password"),
            "DIRECTORY_WEAK": "weak@ad.example.test",
            "DIRECTORY_WEAK_FILE": file("weak.password"),
            "DIRECTORY_ADMIN": f"CN=Administrator,CN=Users,{SUFFIX}",
            "DIRECTORY_ADMIN_FILE": file("administrator.password"),
        }
