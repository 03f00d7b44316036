"""What the tests of common/api share: build/tests/api-call, and its files."""

import json
import os
import subprocess
import tempfile

BUILD = os.environ["WINGMAN_BUILD"]
PROGRAM = os.path.join(BUILD, "tests", "api-call")


class Rig:
    def __init__(self, vendor, config, secrets):
        self.vendor, self.config = vendor, config
        self.folder = tempfile.TemporaryDirectory(prefix="wingman-api-")
        self.secrets = []
        for name, text in secrets.items():
            self.put(name, text)

    def put(self, name, text, mode=0o600):
        path = os.path.join(self.folder.name, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w",
                  encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        self.secrets.append(text)

    def run(self, operation, *args, patience_ms=20000, config=None):
        done = subprocess.run(
            [PROGRAM, self.folder.name, self.vendor, operation, *args],
            input=json.dumps(config or self.config), capture_output=True, text=True,
            timeout=60, check=False, env={**os.environ, "PATIENCE_MS": str(patience_ms)})
        for secret in self.secrets:
            for line in secret.splitlines():
                if line.strip() and line.strip() in done.stdout + done.stderr:
                    raise AssertionError(f"a secret was shown by {operation}")
        if not done.stdout:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    def items(self, operation, *args, **more):
        got = self.run(operation, *args, **more)
        if "error" in got:
            raise AssertionError(got["error"])
        return got["items"]

    def result(self, operation, *args, **more):
        got = self.run(operation, *args, **more)
        if "error" in got:
            raise AssertionError(got["error"])
        return got.get("result")

    def error(self, operation, *args, **more):
        """The code; the whole error is kept in 'last'."""
        got = self.run(operation, *args, **more)
        self.last = got.get("error", {})
        return self.last.get("code")

    def close(self):
        self.folder.cleanup()
