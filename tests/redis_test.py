"""Gate and server with their store on Redis: one approved write; Redis killed between the
approval and the execution; flushed there; and one that is unfit."""

import json
import os
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request

import tap
from gate_client import canonical_digest
from gate_rig import BUILD, PEOPLE, Program, Rig, free_port
from redis_server import SERVER, RedisServer

WHY = "as the test wants it"
SIGN = os.path.join(BUILD, "tests", "sign-grant")
VERSION = "2026-07-28"


class RedisRig(Rig):
    def __init__(self, redis):
        self.more_gate = f"store: {{redis: {{address: '{redis.socket}', timeout_ms: 1000}}}}\n"
        super().__init__()
        self.write("config/fixture.yaml",
                   f"listen: {{address: 127.0.0.1, port: {self.server_port}}}\n"
                   f"gate: {{url: 'http://127.0.0.1:{self.gate_port}'}}\n"
                   f"store: {{redis: {{address: 127.0.0.1, port: {redis.port}, timeout_ms: 1000}}}}\n")


    def ready(self):
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                    f"http://127.0.0.1:{self.server_port}/readyz", timeout=30) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.read().decode()


    def unready(self):
        """Once the answer of a moment ago is told no more."""
        deadline = time.monotonic() + 30
        while True:
            status, why = self.ready()
            if status != 200:
                return status, why
            assert time.monotonic() < deadline, "it stays ready"
            time.sleep(0.1)


    def wait_ready(self):
        """And with it, the epoch has begun: what is signed from now on is good."""
        deadline = time.monotonic() + 30
        while self.ready()[0] != 200:
            assert time.monotonic() < deadline, "it does not become ready"
            time.sleep(0.1)


def put(c, key, value):
    return c.propose("fixture.put_value", key=key, value=value, reason=WHY)


def runs_of(rig, key):
    return len([r for r in rig.runs() if r[0] == key])


def test_a_write(rig, redis):
    with rig.client() as c:
        a = put(c, "plain", "1")
        c.approve(a)
        tap.ok("an approved write runs", c.wait(a, "succeeded"))
    tap.equal("once", runs_of(rig, "plain"), 1)
    tap.equal("ready", rig.ready()[0], 200)
    tap.equal("what was burnt is in Redis",
              redis.ask("HEXISTS", "wingman/fixture/fixture:store", "e:burn/" + a), ":1")
    tap.ok("and the gate's things too", redis.ask("EXISTS", "wingman/gate:store") == ":1")


def test_redis_dies_before_the_burn(rig, redis):
    """The server makes the plan again, and holds there; what follows is the burn."""
    with rig.client() as c:
        a = put(c, "killed", "1")
        c.wait(a, "pending")
        rig.hold("plan")
        c.approve(a)
        rig.wait_held("plan")
        redis.stop()
        rig.release("plan")
        status, why = rig.unready()
        tap.ok("readyz says that it is gone", "redis://127.0.0.1" in why, why)
    redis.start()
    with rig.client() as c:
        record = c.wait(a, "refused", "failed", "unknown", "lapsed", timeout_s=100)
        tap.note(json.dumps(record.get("outcome")))
        tap.ok("the approval ends without an execution", record["state"] != "succeeded")
    tap.equal("nothing ran", runs_of(rig, "killed"), 0)
    rig.wait_ready()
    with rig.client() as c:
        b = put(c, "killed", "2")
        c.approve(b)
        tap.ok("a new approval is good", c.wait(b, "succeeded"))
    tap.equal("and runs once", runs_of(rig, "killed"), 1)


def test_flushed(rig, redis):
    with rig.client() as c:
        a = put(c, "flushed", "1")
        c.wait(a, "pending")
        rig.hold("plan")
        c.approve(a)
        rig.wait_held("plan")
        redis.ask("FLUSHALL")
        rig.release("plan")
        record = c.wait(a, "refused", "failed", "unknown", timeout_s=100)
        tap.ok("a grant from before a flush is no good", record["outcome"])
        tap.note(json.dumps(record["outcome"]))
    tap.equal("nothing ran", runs_of(rig, "flushed"), 0)


def test_forgets_what_was_done(rig, redis):
    """It happened, its server fell before it could say so, and the store lost that: the
    gate must not say that nothing ran."""
    with rig.client() as c:
        a = put(c, "forgotten", "1")
        c.wait(a, "pending")
        rig.hold("done")
        c.approve(a)
        rig.wait_held("done")
        rig.server.kill()
        rig.release("done")
        # Its own copies of its claims are gone as well, as for another replica.
        for name in os.listdir(rig.path("fixture")):
            if ".db" in name:
                os.unlink(rig.path("fixture", name))
        redis.ask("FLUSHALL")
        try:
            rig.start_server()
            tap.ok("whose store was lost while it was away, it does not start", False)
        except RuntimeError as e:
            tap.ok("whose store was lost while it was away, it does not start",
                   "share one store" in str(e), str(e))
        rig.accept_store(c)
        rig.start_server()
        record = c.wait(a, "unknown", "refused", "failed", timeout_s=30)
        tap.note(json.dumps(record["outcome"]))
        tap.equal("nobody knows, and that is said while the grant would live",
                  (record["state"], record["outcome"]["error"]["code"]),
                  ("unknown", "unknown_outcome"))
    tap.equal("it ran once", runs_of(rig, "forgotten"), 1)


def test_own_copies(rig, redis):
    """What the shared store has lost, the server that burnt it still knows."""
    tools = ask(rig, rig.server_port, "tools/list", {}, {})["tools"]
    pin = canonical_digest(next(t for t in tools if t["name"] == "put_value"))
    arguments = {"key": "own", "value": "1", "reason": WHY}
    call = {"name": "put_value", "arguments": arguments}
    planned = ask(rig, rig.server_port, "tools/call", call,
                  {"org.wingman/requester": sign(rig, arguments, "--ticket")})
    # The store began anew before this test; a grant of that very second would be refused.
    time.sleep(1 - time.time() % 1)
    grant = sign(rig, arguments, "--pin", pin, "--approver", PEOPLE[0],
                 plan=planned["_meta"]["org.wingman/plan"])

    def present():
        return ask(rig, rig.server_port, "tools/call",
                   {**call, "requestState": planned["requestState"]}, {"org.wingman/grant": grant})

    tap.ok("it runs", not present().get("isError"))
    redis.ask("FLUSHALL")
    error = present()["structuredContent"]["error"]
    tap.equal("after a flush its server knows what became of it", error["details"]["state"],
              "succeeded")
    tap.equal("and it ran once", runs_of(rig, "own"), 1)
    rig.wait_ready()


def test_unfit(rig, redis):
    redis.ask("CONFIG", "SET", "appendfsync", "everysec")
    status, why = rig.unready()
    tap.ok("readyz says what is wrong", "appendfsync" in why, why)
    rig.server.kill()
    try:
        rig.start_server()
        tap.ok("a server does not start on a Redis that forgets", False)
    except RuntimeError as e:
        tap.ok("a server does not start on a Redis that forgets", "appendfsync" in str(e), str(e))
    redis.ask("CONFIG", "SET", "appendfsync", "always")
    rig.start_server()
    rig.wait_ready()
    with rig.client() as c:
        a = put(c, "mended", "1")
        c.approve(a)
        tap.ok("mended, all goes on", c.wait(a, "succeeded"))


class Replica:
    """A second fixture server: another folder with the same keys, instance and Redis."""

    def __init__(self, rig):
        self.rig, self.port = rig, free_port()
        self.dir = rig.dir + "-replica"
        shutil.copytree(rig.dir, self.dir, ignore=shutil.ignore_patterns(
            "*.db*", "audit", "run", "gate*", "runs", "values"))
        for name in ("audit", "run", "fixture/values"):
            os.makedirs(os.path.join(self.dir, name), mode=0o700, exist_ok=True)
        config = os.path.join(self.dir, "config/fixture.yaml")
        with open(config, encoding="utf-8") as f:
            text = f.read().replace(f"port: {rig.server_port}}}", f"port: {self.port}}}", 1)
        with open(config, "w", encoding="utf-8") as f:
            f.write(text)
        self.program = Program([rig.program, "--dir", self.dir], os.path.join(self.dir, "run/log"))

    def runs(self, key):
        try:
            with open(os.path.join(self.dir, "fixture/runs"), encoding="utf-8") as f:
                return len([line for line in f if line.split(" ", 1)[0] == key])
        except FileNotFoundError:
            return 0

    def done(self):
        if self.program.process.poll() is None:
            self.program.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


def ask(rig, port, method, params, meta):
    """One request with the gate's token; its result."""
    prefix = "io.modelcontextprotocol/"
    headers = {"MCP-Protocol-Version": VERSION, "Mcp-Method": method,
               "Accept": "application/json, text/event-stream"}
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    meta = {prefix + "protocolVersion": VERSION, prefix + "clientCapabilities": {},
            prefix + "clientInfo": {"name": "test", "version": "1"}, **meta}
    _, reply = rig.post(f"http://127.0.0.1:{port}/mcp", rig.tokens["gate"],
                        {"jsonrpc": "2.0", "id": 1, "method": method,
                         "params": {**params, "_meta": meta}}, headers)
    return reply["result"]


def sign(rig, arguments, *more, plan=None):
    command = [SIGN, "--key", rig.path("keys/gate.key"), "--server", "fixture", "--tool",
               "put_value", "--args", "-", "--requester", PEOPLE[0], *more]
    if plan is not None:
        rig.write("run/plan.json", json.dumps(plan))
        command += ["--plan", rig.path("run/plan.json")]
    return subprocess.run(command, input=json.dumps(arguments), capture_output=True, text=True,
                          check=True).stdout.strip()


def test_replicas(rig, redis):
    """One grant, presented to two servers that share a store, many times at once."""
    replica = Replica(rig)
    try:
        tools = ask(rig, rig.server_port, "tools/list", {}, {})["tools"]
        pin = canonical_digest(next(t for t in tools if t["name"] == "put_value"))
        for number in range(10):
            key = "both" + "abcdefghij"[number]
            arguments = {"key": key, "value": "1", "reason": WHY}
            call = {"name": "put_value", "arguments": arguments}
            planned = ask(rig, rig.server_port, "tools/call", call,
                          {"org.wingman/requester": sign(rig, arguments, "--ticket")})
            assert "requestState" in planned, planned
            grant = sign(rig, arguments, "--pin", pin, "--approver", PEOPLE[0],
                         plan=planned["_meta"]["org.wingman/plan"])
            results = []

            def present(port):
                # pylint: disable=cell-var-from-loop
                results.append(ask(rig, port, "tools/call",
                                   {**call, "requestState": planned["requestState"]},
                                   {"org.wingman/grant": grant}))

            threads = [threading.Thread(target=present, args=(port,))
                       for port in (rig.server_port, replica.port) * 3]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            good = [r for r in results if not r.get("isError")]
            tap.equal("one of six is carried out, on either server",
                      (len(results), len(good), runs_of(rig, key) + replica.runs(key)), (6, 1, 1))
            if len(good) != 1:
                tap.note(json.dumps(results)[:2000])
    finally:
        replica.done()


def main():
    if not SERVER:
        tap.skip("gate and server on Redis", "no redis-server")
        tap.done()
        return
    redis = RedisServer(free_port())
    rig = None
    try:
        redis.start()
        rig = RedisRig(redis)
        rig.start()
        tap.run([lambda t=t: t(rig, redis) for t in (
            test_a_write, test_redis_dies_before_the_burn, test_flushed,
            test_forgets_what_was_done, test_own_copies, test_unfit, test_replicas)])
    finally:
        if rig:
            rig.done()
        redis.done()
    tap.done()


if __name__ == "__main__":
    main()
