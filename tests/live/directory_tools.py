"""A block for a time, its end and a block given back, through the tools of the accounts server,
on a directory of a kind; whether somebody can sign in says the directory itself."""

import os
import pathlib
import subprocess

import tap
from accounts_vendors_test import Server, effects, phases

JOHN, JANE, GLASS = "john.doe@example.test", "jane.roe@example.test", "breakglass-1"
DAY = 24 * 3600


class Directory:
    def __init__(self, rig, base, dn, password):
        """'dn' and 'password' are of john.doe, with '{}' where a name stands."""
        env = rig.environment()
        self.env, self.dn, self.password = env, dn, password
        secret = pathlib.Path(env["DIRECTORY_SERVICE_FILE"]).read_text(encoding="ascii")
        authorities = pathlib.Path(env["DIRECTORY_CA"]).read_text(encoding="ascii")
        self.server = Server({"ldap": {
            "uri": env["DIRECTORY_URI"], "ca_file": "ca.pem", "bind_dn": env["DIRECTORY_SERVICE"],
            "password_file": "password", "people_base": base},
            "protected": {"subtrees": ["ou=breakglass," + base]}},
            {"password": secret, "ca.pem": authorities})

    def signs_in(self, name="john.doe"):
        done = subprocess.run(
            ["ldapsearch", "-x", "-s", "base", "-b", "", "-H", self.env["DIRECTORY_URI"], "-D", self.dn.format(name),
             "-w", self.password.format(name)], capture_output=True, text=True,
            env={**os.environ, "LDAPTLS_CACERT": self.env["DIRECTORY_CA"]}, timeout=30)
        return done.returncode == 0


def run(d, blocked):
    """'blocked' is what the plan says the account will be."""
    s = d.server
    tap.ok("(they can sign in)", d.signs_in() and d.signs_in("jane.roe"))
    plan = s.call("block_account", person=JOHN, only_plan=True, again=True)
    tap.equal("the plan: from what to what, on him alone, and the same when it is made again",
              (plan.get("same"), [e[2] for e in effects(plan)][:1]), (True, [blocked]))
    tap.ok("a plan changes nothing", d.signs_in())
    done = s.call("block_account", person=JOHN)
    tap.equal("blocked, and read back", (done.get("error"), phases(done).get(("ldap", "sign_in"))),
              (None, "verified"))
    tap.ok("he cannot sign in, she can", not d.signs_in() and d.signs_in("jane.roe"))
    got = s.call("get_account", person=JOHN)["result"]
    tap.ok("get_account says so", '"blocked"' in str(got).replace("'", '"'), got)
    s.restart()
    back = s.call("unblock_account", person=JOHN)
    tap.equal("given back, after a restart", (back.get("error"), d.signs_in()), (None, True))
    for_a_time = s.call("block_account", person=JOHN, more={"expires_in": "1d"})
    tap.equal("blocked for a day", (for_a_time.get("error"), d.signs_in()), (None, False))
    s.ask({"tick": DAY - 60})
    tap.ok("not over a minute before", not d.signs_in())
    s.ask({"tick": DAY + 60})
    tap.ok("over by itself", d.signs_in())
    for name, person in (("who is protected", GLASS), ("nobody", "nobody@example.test"),
                         ("a pattern", "john*")):
        refused = s.call("block_account", person=person)
        tap.ok(f"{name}: refused before any plan", refused.get("error") and "plan" not in refused,
               refused)
    s.close()
