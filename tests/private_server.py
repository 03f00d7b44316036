"""What the tests' private servers have in common: a process that is stopped by its own
handle, paused and resumed, and a test program in C run beside it, which may ask for
these over a pair of pipes (tests/live/slapd_control.h).
"""

import os
import signal
import socket
import subprocess
import threading
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class PrivateServer:
    """A subclass has start(), which sets 'process' and is true when it answers, and
    environment(), what a test program finds in its own."""

    def __init__(self):
        self.process = None

    def answers(self, port):
        """Wait until it does; false when it has ended instead."""
        for _ in range(400):
            if self.process.poll() is not None:
                return False
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
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
            raise RuntimeError("the server does not start again")

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
