"""wingman-accounts alone, in a folder of its own, with a directory and no gate."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

SERVER = os.environ["WINGMAN_BUILD"] + "/bin/wingman-accounts"


class AccountsServer:
    def __init__(self, ldap):
        """'ldap' is that of its backend; its authorities and its password are copied into
        the folder. 'url' is None if it does not start."""
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="wm-accounts-"))
        for name in ("config", "keys/trusted", "callers", "audit"):
            (self.dir / name).mkdir(parents=True, mode=0o700)
        self._write("callers/index.json", json.dumps({"v": 1, "tokens": []}))
        for name in ("ca_file", "password_file"):
            if name in ldap:
                self._write("config/" + name, pathlib.Path(ldap[name]).read_text())
                ldap[name] = "config/" + name
        self._write("config/accounts.yaml", json.dumps({
            "listen": {"address": "127.0.0.1", "port": 0}, "backend": {"ldap": ldap}}))
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
