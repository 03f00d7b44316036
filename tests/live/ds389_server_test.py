"""The accounts server itself, in its sandbox, beside a private 389 Directory Server over
TLS: its authorities are read at start and serve later; a directory that is another than
the configuration says is refused at start; one that is down is waited for."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import ds389
import ds389_people
import tap

SERVER = os.environ["WINGMAN_BUILD"] + "/bin/wingman-accounts"


class Server:
    def __init__(self, environment, dialect):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="wm-ds389-"))
        for name in ("config", "keys/trusted", "callers", "audit"):
            (self.dir / name).mkdir(parents=True, mode=0o700)
        shutil.copy(environment["DIRECTORY_CA"], self.dir / "config/ca.pem")
        self._write("callers/index.json", json.dumps({"v": 1, "tokens": []}))
        self._write("config/password",
                    pathlib.Path(environment["DIRECTORY_SERVICE_FILE"]).read_text())
        self._write("config/accounts.yaml", json.dumps({
            "listen": {"address": "127.0.0.1", "port": 0},
            "backend": {"ldap": {
                "dialect": dialect, "uri": environment["DIRECTORY_URI"],
                "ca_file": "config/ca.pem", "bind_dn": environment["DIRECTORY_SERVICE"],
                "password_file": "config/password", "people_base": ds389.SUFFIX,
                "timeout_ms": 2000}}}))
        self.process = subprocess.Popen([SERVER, "--dir", self.dir], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        self.url = json.loads(line)["url"].replace("/mcp", "/readyz") if line else None

    def _write(self, name, text):
        path = self.dir / name
        path.touch(0o600)
        path.write_text(text)

    def is_ready(self):
        try:
            with urllib.request.urlopen(self.url, timeout=20) as answer:
                return answer.status == 200
        except urllib.error.HTTPError:
            return False

    def done(self):
        """What it said last."""
        self.process.terminate()
        _, said = self.process.communicate(timeout=20)
        shutil.rmtree(self.dir, ignore_errors=True)
        return said


def test_authorities(directory):
    server = Server(directory.environment(), "auto")
    tap.ok("it is ready", server.url and server.is_ready())
    directory.restart()
    tap.ok("it connects again from within its sandbox", server.url and server.is_ready())
    server.done()


def test_mismatch(directory):
    server = Server(directory.environment(), "active_directory")
    said = server.done()
    tap.ok("another kind of directory is refused at start", server.url is None, said)
    tap.ok("and the reason says both", "is 389 Directory Server, but the configuration says "
           "Active Directory" in said, said)


def test_later(directory):
    directory.stop()
    server = Server(directory.environment(), "active_directory")
    tap.ok("without its directory it starts", server.url is not None)
    tap.ok("and is not ready", server.url and not server.is_ready())
    directory.start()
    tap.ok("nor is it when the directory is another kind", server.url and not server.is_ready())
    server.done()


if ds389.missing():
    print(f"1..0 # SKIP {ds389.missing()}")
    sys.exit(0)
with ds389.Ds389(ds389_people.ldif()) as rig:
    tap.run([lambda test=test: test(rig) for test in (test_authorities, test_mismatch, test_later)])
tap.done()
