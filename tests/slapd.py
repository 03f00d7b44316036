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
import signal
import socket
import subprocess
import tempfile
import threading
import time

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


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Slapd:
    def __init__(self, extra_ldif=None):
        """'extra_ldif' is loaded after the sample, if given."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slapd test "))
        self.password = secrets.token_hex(16)
        self.process = None
        try:
            self._load(extra_ldif)
            self._first_start()
        except BaseException:
            self.close()
            raise

    def _load(self, extra_ldif):
        sample = SOURCE / "deploy/sample"
        (self.folder / "db").mkdir(mode=0o700)
        conf = (sample / "slapd.conf.in").read_text()
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
            self.port = _free_port()
            self.uri = f"ldap://127.0.0.1:{self.port}"
            if self.start():
                return
        raise RuntimeError("slapd does not start")

    def start(self):
        self.process = subprocess.Popen(
            [SLAPD, "-f", self.folder / "slapd.conf", "-h", self.uri, "-d", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self.process.poll() is not None:
                return False
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            except OSError:
                time.sleep(0.05)
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        if not self.start():
            raise RuntimeError("slapd does not start again")

    def pause(self):
        """Stopped when this returns: a busy machine takes its time over it."""
        self.process.send_signal(signal.SIGSTOP)
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            while self._state(task) not in "TtX":
                time.sleep(0.001)

    def _state(self, task):
        try:
            with open(f"/proc/{self.process.pid}/task/{task}/stat", encoding="ascii") as f:
                return f.read().rsplit(")", 1)[1].split()[0]
        except OSError:
            return "X"

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

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

    def run(self, command):
        """Run a test program that may ask for faults; its exit status."""
        ask_read, ask_write = os.pipe()
        told_read, told_write = os.pipe()
        env = {**os.environ, **self.environment(),
               "SLAPD_ASK": str(ask_write), "SLAPD_TOLD": str(told_read)}
        child = subprocess.Popen(command, env=env, pass_fds=(ask_write, told_read))
        os.close(ask_write)
        os.close(told_read)
        actions = {"pause": self.pause, "resume": self.resume, "stop": self.stop,
                   "start": self.start, "restart": self.restart}

        def serve():
            with os.fdopen(ask_read) as asked, os.fdopen(told_write, "wb", 0) as told:
                for line in asked:
                    actions[line.strip()]()
                    told.write(b".")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            return child.wait()
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            thread.join(5)
