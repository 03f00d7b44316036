"""Replicas of a server share one store, and so do gates that share a key.

Real wingman-gate and fixture servers with a folder each; see gate_rig.py.
"""

import json
import os
import shutil
import sqlite3
import time
import urllib.error
import urllib.request

import tap
from gate_client import canonical_digest
from gate_rig import PEOPLE, Program, Rig, free_port
from gate_test import put
from redis_test import ask, sign

STORE = "fixture/coordination.db"
OVERLAP_MS = 7000       # more than GATE_STORE_OVERLAP_S, and the second of a grant


def readyz(port):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/readyz", timeout=30) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.read().decode()


def wait_until(what, why):
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.05)


def events(rig, name):
    return [line["data"] for line in rig.audit() if line["event"] == name]


class Replica:
    """Another fixture server with the keys and tokens of the first, and a store of its own."""

    def __init__(self, rig):
        self.port, self.dir = free_port(), rig.dir + "-replica"
        shutil.copytree(rig.dir, self.dir, ignore=shutil.ignore_patterns(
            "*.db*", "audit", "run", "gate*", "runs", "values"))
        for name in ("audit", "run", "fixture/values"):
            os.makedirs(os.path.join(self.dir, name), mode=0o700, exist_ok=True)
        config = os.path.join(self.dir, "config/fixture.yaml")
        with open(config, encoding="utf-8") as f:
            text = f.read().replace(f"port: {rig.server_port}}}", f"port: {self.port}}}", 1)
        with open(config, "w", encoding="utf-8") as f:
            f.write(text)
        self.argv = [rig.program, "--dir", self.dir]
        self.program = None

    def start(self):
        self.program = Program(self.argv, os.path.join(self.dir, "run/log"))

    def runs(self):
        try:
            with open(os.path.join(self.dir, "fixture/runs"), encoding="utf-8") as f:
                return len(f.readlines())
        except FileNotFoundError:
            return 0

    def done(self):
        if self.program and self.program.process.poll() is None:
            self.program.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


def approved(c, key, *states):
    a = put(c, key, "1")
    c.approve(a)
    return c.wait(a, *(states or ("succeeded",)))


def test_second_does_not_start(rig):
    replica = Replica(rig)
    try:
        with rig.client() as c:
            wait_until(lambda: c.ask("status")["stores"][0].get("store"), "no store was said")
            try:
                replica.start()
                tap.ok("a replica with a store of its own does not start", False)
            except RuntimeError as e:
                tap.ok("a replica with a store of its own does not start",
                       "share one store" in str(e), str(e))
            stores = c.ask("status")["stores"][0]
            tap.ok("people are told", "refused" in stores and stores["refused"] != stores["store"],
                   json.dumps(stores))
            tap.equal("and it is in the log", [d["server"] for d in events(rig, "store.refused")][:1],
                      ["fixture"])
            tap.ok("the first goes on", approved(c, "goeson"))
    finally:
        replica.done()


def test_started_without_the_gate(rig):
    """It may start where the gate is away, and runs nothing, for nobody's grant."""
    replica = Replica(rig)
    store = None
    try:
        with rig.client() as c:
            store = c.ask("status")["stores"][0]["store"]
        rig.gate.kill()
        replica.start()
        tools = ask(rig, replica.port, "tools/list", {}, {})["tools"]
        pin = canonical_digest(next(t for t in tools if t["name"] == "get_route"))

        def read(*more):
            grant = sign(rig, {}, "--tool", "get_route", "--pin", pin, "--approver", PEOPLE[0], *more)
            return ask(rig, replica.port, "tools/call", {"name": "get_route", "arguments": {}},
                       {"org.wingman/grant": grant})

        time.sleep(1 - time.time() % 1)     # a grant of the second in which it began is refused
        result = read(f"store={store}")
        tap.ok("a read that is to be burnt in the gate's store is refused",
               "another store" in json.dumps(result), json.dumps(result))
        tap.equal("and what became of it, it cannot tell",
                  result["structuredContent"]["error"]["details"]["state"], "forgotten")
        rig.start_gate()
        wait_until(lambda: readyz(replica.port)[0] == 503, "it stays ready")
        tap.ok("the gate is back: it says why it is not ready",
               "share one store" in readyz(replica.port)[1], readyz(replica.port)[1])
        result = read()
        tap.ok("and takes no grant at all", "share one store" in json.dumps(result),
               json.dumps(result))
        tap.equal("nothing ran there", replica.runs(), 0)
    finally:
        replica.done()


def test_replaced(rig):
    """A store that was lost is another one, until people say so."""
    rig.server.kill()
    for name in os.listdir(rig.path("fixture")):
        if name.startswith("coordination.db"):
            os.unlink(rig.path("fixture", name))
    try:
        rig.start_server()
        tap.ok("a server whose store was lost does not start", False)
    except RuntimeError as e:
        tap.ok("a server whose store was lost does not start", "wingman pin fixture" in str(e), str(e))
    with rig.client() as c:
        other = c.ask("pins", server="fixture")["store"]
        a = c.ask("propose_gate", action="accept_store",
                  arguments={"server": "fixture", "store": "nobodysaidthis"})["approval"]
        tap.equal("one that nobody said cannot be accepted",
                  c.wait(a, "refused")["outcome"]["error"]["code"], "precondition_failed")
        rig.accept_store(c)
        tap.equal("it is in the log", events(rig, "store.renewed")[-1]["store"], other["store"])
    rig.start_server()
    with rig.client() as c:
        tap.ok("and all goes on", approved(c, "replaced"))


def test_what_servers_say(rig):
    url = f"http://127.0.0.1:{rig.gate_port}/stores"
    with rig.client() as c:
        store = c.ask("status")["stores"][0]["store"]
    for what, body, status in (
            ("the same again", {"v": 1, "store": store}, 200),
            ("another", {"v": 1, "store": "another"}, 409),
            ("another, of one that it never had", {"v": 1, "store": "another", "was": "third"}, 409),
            ("no version", {"store": store}, 400),
            ("too long a name", {"v": 1, "store": "x" * 27}, 400),
            ("no name", {"v": 1, "store": "a b"}, 400),
            ("a member too many", {"v": 1, "store": store, "server": "other"}, 400)):
        tap.equal(f"{what} is answered {status}", rig.post(url, rig.tokens["fixture"], body)[0], status)
    tap.equal("nobody speaks for another server",
              rig.post(url, rig.tokens["other"], {"v": 1, "store": store})[0], 403)
    tap.equal("nor a client", rig.post(url, rig.tokens["client"], {"v": 1, "store": store})[0], 403)
    tap.equal("who had it may say that it began anew",
              rig.post(url, rig.tokens["fixture"], {"v": 1, "store": "anew", "was": store})[0], 200)
    tap.equal("and back", rig.post(url, rig.tokens["fixture"], {"v": 1, "store": store, "was": "anew"})[0],
              200)
    was, statuses = store, []
    while 429 not in statuses and len(statuses) < 300:
        now = f"n{len(statuses)}"
        statuses.append(rig.post(url, rig.tokens["fixture"], {"v": 1, "store": now, "was": was})[0])
        was = now if statuses[-1] == 200 else was
    tap.equal("but not again and again", (sorted(set(statuses)), len(statuses) > 100), ([200, 429], True))
    with rig.client() as c:     # a minute's patience is not this test's: people may say so as well
        rig.post(url, rig.tokens["fixture"], {"v": 1, "store": store})
        rig.accept_store(c)


def test_two_gates(rig):
    """With one key: a store each, and copies of one store."""
    tools = ask(rig, rig.server_port, "tools/list", {}, {})["tools"]
    pin = canonical_digest(next(t for t in tools if t["name"] == "get_route"))
    def read(store, epoch):
        grant = sign(rig, {}, "--tool", "get_route", "--pin", pin, "--approver", PEOPLE[0],
                     f"gate_store={store}", f"gate_epoch={epoch}")
        result = ask(rig, rig.server_port, "tools/call", {"name": "get_route", "arguments": {}},
                     {"org.wingman/grant": grant})
        return "ok" if not result.get("isError") else result["structuredContent"]["error"]["message"]

    with rig.client() as c:
        c.ask("status")
        approved(c, "first")            # its server has seen this gate now
    own = next(iter(gate_seen(rig)))
    tap.ok("a gate with another store is refused", "has another store" in read("othergate", own[1] + 10_000))
    tap.equal("its own gate, of an earlier epoch's end, is not", read(own[0], own[1]), "ok")
    tap.equal("nor one whose store began anew", read(own[0], own[1] + 1), "ok")
    wait_until(lambda: time.time() * 1000 > own[1] + OVERLAP_MS, "the clock stands still")
    tap.ok("after which the one on the copy is refused",
           "begun anew" in read(own[0], own[1]), read(own[0], own[1]))
    with rig.client() as c:
        record = approved(c, "second", "refused")
        tap.ok("which people are told", "with this key" in record["outcome"]["error"]["message"],
               json.dumps(record["outcome"]))
    rig.restart_gate()
    with rig.client() as c:
        tap.ok("a gate that starts later is the one", approved(c, "third"))


def gate_seen(rig):
    """What the server keeps of its gate: (store, epoch)."""
    db = sqlite3.connect(rig.path(STORE))
    try:
        return [(v.split(" ")[0], int(v.split(" ")[1])) for (v,) in db.execute(
            "SELECT value FROM entry WHERE key = ?", ("gate/" + rig.kid(),))]
    finally:
        db.close()


def main():
    rig = Rig()
    try:
        rig.start()
        tap.run([lambda t=t: t(rig) for t in (
            test_second_does_not_start, test_started_without_the_gate, test_what_servers_say,
            test_two_gates, test_replaced)])
    finally:
        rig.done()
    tap.done()


if __name__ == "__main__":
    main()
