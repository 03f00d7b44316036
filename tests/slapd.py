"""A private slapd with the sample directory, for tests.

    with slapd.Slapd() as directory:
        directory.uri, directory.password, directory.can_bind(dn, password)

Started in a temporary folder on a free loopback port, stopped by its own process
handle. A test program in C is run beside it with directory.run([...]): it finds the
address in the environment and may ask for pause, resume, stop, start and restart over
a pair of pipes (tests/live/slapd_control.h).
"""

import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile

import private_server

SUFFIX = "dc=example,dc=test"
SERVICE_DN = f"cn=wingman,ou=services,{SUFFIX}"
SLAPD = "/usr/sbin/slapd"
SLAPADD = "/usr/sbin/slapadd"
SOURCE = pathlib.Path(os.environ.get("WINGMAN_SOURCE",
                                     pathlib.Path(__file__).resolve().parent.parent))


def missing():
    """Why no slapd can be started here, or None."""
    for program in (SLAPD, SLAPADD):
        if not os.access(program, os.X_OK):
            return f"{program} is not installed"
    return None


def person_dn(uid):
    return f"uid={uid},ou=people,{SUFFIX}"


class Slapd(private_server.PrivateServer):
    def __init__(self, extra_ldif=None, extra_conf=""):
        """'extra_ldif' is loaded after the sample, if given; 'extra_conf' stands before its
        databases, and may name @RUN@."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slapd test "))
        self.password = secrets.token_hex(16)
        super().__init__()
        try:
            self._load(extra_ldif, extra_conf)
            self._first_start()
        except BaseException:
            self.close()
            raise

    def _load(self, extra_ldif, extra_conf):
        sample = SOURCE / "deploy/sample"
        (self.folder / "db").mkdir(mode=0o700)
        conf = (sample / "slapd.conf.in").read_text()
        conf = conf.replace("\npidfile", "\n" + extra_conf + "\npidfile", 1)
        (self.folder / "slapd.conf").write_text(conf.replace("@RUN@", str(self.folder)))
        people = (sample / "people.ldif").read_text()
        parts = [people.replace("@SERVICE_PASSWORD@", self.password),
                 (sample / "groups.ldif").read_text()]
        if extra_ldif:
            parts.append(extra_ldif)
        for part in parts:
            subprocess.run([SLAPADD, "-q", "-f", self.folder / "slapd.conf", "-b", SUFFIX],
                           input=part.encode(), check=True, stdout=subprocess.DEVNULL)
        password_file = self.folder / "password"
        password_file.touch(0o600)
        password_file.write_text(self.password)

    def _first_start(self):
        for _ in range(5):  # somebody else may take the port in between
            self.port = private_server.free_port()
            self.uri = f"ldap://127.0.0.1:{self.port}"
            if self.start():
                return
        raise RuntimeError("slapd does not start")

    def start(self):
        self.process = subprocess.Popen(
            [SLAPD, "-f", self.folder / "slapd.conf", "-h", self.uri, "-d", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self.answers(self.port)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def can_bind(self, dn, password):
        """Whether a simple bind works now, asked by somebody else's client."""
        done = subprocess.run(["ldapwhoami", "-x", "-H", self.uri, "-D", dn, "-w", password],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode not in (0, 49):
            raise RuntimeError(done.stderr.decode())
        return done.returncode == 0

    def environment(self):
        return {
            "SLAPD_URI": self.uri,
            "SLAPD_SERVICE_DN": SERVICE_DN,
            "SLAPD_PASSWORD_FILE": str(self.folder / "password"),
        }
