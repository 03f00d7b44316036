"""sign-grant prints what the gate would sign, and whatever wrong is asked for."""

import base64
import hashlib
import json
import os
import subprocess
import tempfile

import tap

PROGRAM = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "sign-grant")
# RFC 8032, section 7.1, test 1; as PKCS#8.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
PEM = ("-----BEGIN PRIVATE KEY-----\n" +
       base64.b64encode(bytes.fromhex("302e020100300506032b657004220420") + SEED).decode() +
       "\n-----END PRIVATE KEY-----\n")
NOTHING = hashlib.sha256(b"").hexdigest()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Folder:
    def __init__(self, path):
        self.key = self.put(path, "gate.key", PEM)
        self.args = self.put(path, "args.json", '{ "b": 1.0, "a": "x" }\n')
        self.plan = self.put(path, "plan.json", '{"v":1}')

    @staticmethod
    def put(path, name, text):
        name = os.path.join(path, name)
        with open(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(text)
        return name

    def run(self, *more, stdin=""):
        return subprocess.run([PROGRAM, "--key", self.key, "--server", "accounts", "--tool",
                               "block_account", "--args", self.args, *more],
                              input=stdin, capture_output=True, text=True, timeout=20)

    def payload(self, *more, **kw):
        out = self.run(*more, **kw)
        head, _, tail = out.stdout.strip().partition(".")
        if out.returncode != 0 or len(decode(tail)) != 64:
            raise RuntimeError(out.stderr)
        return json.loads(decode(head))


def test_defaults(f):
    p = f.payload("--plan", f.plan)
    tap.equal("arguments are digested canonically", p["args"],
              hashlib.sha256(b'{"a":"x","b":1}').hexdigest())
    tap.equal("so is the plan", p["plan"], hashlib.sha256(b'{"v":1}').hexdigest())
    tap.equal("the kid is the key's", p["kid"], hashlib.sha256(PUBLIC).hexdigest()[:16])
    tap.equal("good for a minute", p["exp"] - p["iat"], 60)
    tap.ok("the pin is of the tool", len(p["pin"]) == 64 and p["pin"] != NOTHING)
    tap.equal("the rest", {n: p[n] for n in ("typ", "v", "aud", "server", "tool", "shown",
                                             "requester", "approvers")},
              {"typ": "org.wingman/grant", "v": 1, "aud": "accounts", "server": "accounts",
               "tool": "block_account", "shown": NOTHING, "requester": "tester@example.test",
               "approvers": ["tester@example.test"]})
    tap.equal("nothing else", len(p), 15)
    tap.ok("ids are random", p["id"] != f.payload()["id"])
    tap.ok("no plan without --plan", "plan" not in f.payload())


def test_wrong_things(f):
    p = f.payload("--aud", "other", "--ttl", "9999", "--iat", "5", "--approver", "a,b",
                  "--bundle", "b", "--seq", "3", "--emergency", "--head", "zz", "--pin", "p",
                  "--extra", "x=[1]", "y=text", "exp=7", "--without", "shown", "--id", "i")
    tap.equal("as asked", {n: p.get(n) for n in ("aud", "iat", "exp", "approvers", "bundle", "seq",
                                                 "emergency", "head", "pin", "x", "y", "shown", "id")},
              {"aud": "other", "iat": 5, "exp": 7, "approvers": ["a", "b"], "bundle": "b", "seq": 3,
               "emergency": True, "head": "zz", "pin": "p", "x": [1], "y": "text", "shown": None,
               "id": "i"})
    tap.equal("a rule needs nobody", f.payload("--rule", "free")["approvers"], [])
    same = [f.run("--id", "i", "--iat", "5").stdout for _ in range(2)]
    tap.equal("the same twice", same[0], same[1])


def test_ticket(f):
    p = f.payload("--ticket", "--args", "-", "--requester", "alice@company.com", stdin="{}")
    digest = hashlib.sha256(b"{}").hexdigest()
    request = '{"args":"%s","server":"accounts","tool":"block_account"}' % digest
    tap.equal("a ticket", {n: p[n] for n in p if n not in ("iat", "exp", "kid")},
              {"typ": "org.wingman/requester", "v": 1, "aud": "accounts",
               "requester": "alice@company.com",
               "request": hashlib.sha256(request.encode()).hexdigest()})


def test_complaints(f):
    tap.equal("help", f.run("--help").returncode, 0)
    tap.equal("unknown option", f.run("--nope").returncode, 2)
    tap.equal("no such file", f.run("--args", "/nonexistent").returncode, 1)
    tap.equal("no JSON", f.run("--args", "-", stdin="{").returncode, 1)
    tap.equal("no pair", f.run("--extra", "x").returncode, 1)
    tap.equal("missing options", subprocess.run([PROGRAM], capture_output=True,
                                                timeout=20).returncode, 2)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as path:
        folder = Folder(path)
        tap.run([lambda t=t: t(folder) for t in
                 (test_defaults, test_wrong_things, test_ticket, test_complaints)])
    tap.done()
