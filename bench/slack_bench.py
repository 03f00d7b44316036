"""bench/slack_bench.py FOLDER: the Slack process with everything real but Slack, measured.

How long acknowledgements take while 200 events a second come and each call of Slack's API
takes a second; and how long it is from a press to the server's tools/call. Prints lines of
JSON as the programs in C do: a rate is one over the time of which 99 of 100 (of presses:
half) were below. What was not acknowledged, or not called, is a failure.

With the rig of the tests, and so with what 'make test' installs into build/npm; the build
is WINGMAN_BUILD, as for them.
"""

import asyncio
import calendar
import json
import multiprocessing
import os
import statistics
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault("WINGMAN_SOURCE", ROOT)
os.environ.setdefault("WINGMAN_BUILD", os.path.join(ROOT, "build"))
sys.path.insert(0, os.path.join(ROOT, "tests"))

from doubles import emulator  # noqa: E402  pylint: disable=wrong-import-position
from doubles.slack_front import APP, BOT, TEAM, SlackFront  # noqa: E402  pylint: disable=wrong-import-position
import slack_rig  # noqa: E402  pylint: disable=wrong-import-position

EVENTS, PER_SECOND, SLOW_S = 2000, 200, 1.0
PRESSES = 12
TOOL = "accounts.get_account"


class SlowFront(SlackFront):
    """A Slack that takes its time once it is told to."""

    slow = False

    def answer(self, *args):
        if self.slow:
            time.sleep(SLOW_S)
        return super().answer(*args)


# ---- Acknowledgements ----

def event(number, channel, user):
    body = json.dumps({
        "type": "event_callback", "api_app_id": APP, "team_id": TEAM, "token": "x",
        "event_id": f"EvBench{number}", "event_time": int(time.time()),
        "event": {"type": "app_mention", "user": user, "text": f"<@{BOT}> help",
                  "ts": f"{int(time.time())}.{number:06d}", "team": TEAM, "channel": channel}})
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)),
              "Host": "127.0.0.1", "Connection": "close", **slack_rig.signed(body.encode())}
    head = "".join(f"{k}: {v}\r\n" for k, v in fields.items())
    return f"POST /slack/events HTTP/1.1\r\n{head}\r\n{body}".encode()


async def send(port, number, channel, user, begin, results):
    """At its time, whatever became of those before."""
    await asyncio.sleep(begin + number / PER_SECOND - time.monotonic())
    request = event(number, channel, user)
    sent = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    status = int((await reader.readline()).split()[1])
    await reader.read()
    results.append((time.monotonic() - sent, status))
    writer.close()


async def send_all(port, channel, user):
    results, begin = [], time.monotonic() + 0.2
    await asyncio.gather(*(send(port, n, channel, user, begin, results)
                           for n in range(EVENTS)))
    return results


def load(port, channel, user, queue):
    queue.put(asyncio.run(send_all(port, channel, user)))


def acknowledge(rig):
    """Seconds of which 99 of 100 were below; in a process of its own, as Slack is one."""
    queue = multiprocessing.Queue()
    child = multiprocessing.Process(target=load, args=(rig.ports["slack"], rig.channel, rig.alice,
                                                       queue))
    rig.slack.slow = True
    child.start()
    results = queue.get(timeout=100)
    child.join()
    rig.slack.slow = False
    refused = [s for _, s in results if s != 200]
    if len(results) != EVENTS or refused:
        raise SystemExit(f"{len(refused)} of {len(results)} events were not acknowledged: "
                         f"{refused[:5]}")
    return statistics.quantiles((t for t, _ in results), n=100)[98]


# ---- From a press to the call ----

def calls(rig):
    """When each call began, by the server's log; milliseconds since 1970."""
    found = []
    for line in rig.suite.read("run", "wingman-accounts.log").splitlines():
        try:
            o = json.loads(line)
        except ValueError:
            continue
        if o.get("event") == "tool.done" and o["tool"] in TOOL and o.get("took_ms") is not None:
            at = time.strptime(o["at"][:19], "%Y-%m-%dT%H:%M:%S")
            found.append(calendar.timegm(at) * 1000 + int(o["at"][20:23]) - o["took_ms"])
    return found


def people():
    """Each call is another: what waits already is not asked twice."""
    with open(os.path.join(ROOT, "deploy", "sample", "people.ldif"), encoding="utf-8") as f:
        return [l.split()[1] for l in f if l.startswith("mail: ")][:PRESSES]


def prompts(rig):
    """So many that wait, read for longer than the gate wants."""
    waiting = []
    for person in people():
        rig.submit(rig.run(TOOL, rig.alice), person=person)
        known = {m.ts for m in waiting}
        call = rig.slack.wait(lambda s, known=known: next(
            (c for c in s.calls if c.method == "chat.postMessage" and c.answer.get("ok") and
             c.answer["ts"] not in known and
             "wingman.deny" in slack_rig.elements(c.arguments.get("blocks", []))), None))
        waiting.append(slack_rig.Message(rig, call.answer["channel"], call.answer["ts"]))
    for message in waiting:
        message.id = message.approval()
        while not any(p["ts"] == message.ts for p in rig.record(message.id).get("places", [])):
            time.sleep(0.02)
        rig.let_read(message)
    return waiting


def press(rig):
    """Seconds from a press to the call, each by itself."""
    times = []
    for message in prompts(rig):
        payload = rig.press_payload(message, "approve", rig.alice)
        before = len(calls(rig))
        sent_ms = time.time() * 1000
        status, _ = rig.interact(payload)
        deadline = time.monotonic() + 20
        while len(calls(rig)) == before:
            if status != 200 or time.monotonic() > deadline:
                raise SystemExit(f"a press was not followed by a call: {status}\n{rig.log()}")
            time.sleep(0.005)
        times.append((calls(rig)[before] - sent_ms) / 1000)
    return statistics.median(times), max(times)


def say(name, seconds):
    print(json.dumps({name: {"count": 1, "rate": 1 / max(seconds, 1e-4)}}), flush=True)


def main():
    if not emulator.is_installed():
        raise SystemExit(emulator.WHY)
    rig = slack_rig.SlackSuite(front=SlowFront)
    try:
        rig.start()
        median, most = press(rig)
        print(f"press to call: median {median * 1000:.1f} ms, most {most * 1000:.1f} ms",
              file=sys.stderr)
        say("press", median)
        say("slowest_press", most)
        acknowledged = acknowledge(rig)
        print(f"acknowledged: {acknowledged * 1000:.1f} ms", file=sys.stderr)
        say("acknowledged", acknowledged)
    finally:
        rig.done()
    say("twenty_milliseconds", 0.02)
    say("fifty_milliseconds", 0.05)


if __name__ == "__main__":
    main()
