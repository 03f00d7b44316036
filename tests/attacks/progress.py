"""What an attack that takes hours says meanwhile, and how it is told to come to an end."""

import signal
import threading

import tap

EVERY_S = 60


class Progress:
    """While it stands, a line a minute; SIGINT or SIGTERM ends the attacking, not the judging.

    The first signal sets all_.stop for good: what was done until then gets its verdict, beside
    one that not all was done. A second one ends it as usual.
    """

    def __init__(self, all_, wanted, kills):
        self.all, self.wanted, self.kills = all_, wanted, kills
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.tell, daemon=True)
        self.before = {}

    def __enter__(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.before[number] = signal.signal(number, self.end)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.restore()

    def restore(self):
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def end(self, number, _frame):
        self.restore()
        self.all.ended_by = signal.Signals(number).name
        self.all.stop = True

    def tell(self):
        while not self.over.wait(EVERY_S):
            a = self.all
            tap.note(f"{a.seconds():.0f} s: {a.made} of {self.wanted} attacks, {a.kills} of "
                     f"{self.kills} kills, {len(a.effects)} asked for, {a.doing}, "
                     f"{len(a.surprises)} faults")
