"""A redis-server of a test's own, in a folder that goes away; stopped by its pid."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SERVER = shutil.which("redis-server")
DURABLE = ["--appendonly", "yes", "--appendfsync", "always"]


class RedisServer:
    def __init__(self, port, *options):
        self.dir = tempfile.mkdtemp(prefix="wm-redis-")
        self.socket = os.path.join(self.dir, "s")
        self.port, self.options = port, options
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [SERVER, "--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", self.socket,
             "--dir", self.dir, "--logfile", "log", "--save", "", *DURABLE, *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                if self.ask("PING") == "+PONG":
                    return
            except OSError:
                pass
            assert time.monotonic() < deadline and self.process.poll() is None, "no redis-server"
            time.sleep(0.02)

    def ask(self, *words):
        """One command; the first line of its answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.socket)
            s.sendall(b"*%d\r\n" % len(words) +
                      b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
            return s.makefile("r", newline="\r\n").readline().rstrip("\r\n")

    def stop(self):
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def done(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
