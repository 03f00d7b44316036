"""A group in Okta says who is in the team: asked of a double, alone and through a gate."""

import threading

import membership_runs
import tap
from doubles.okta_double import OktaDouble
from membership import Asking

AVA, BEN, CAT = "ava@example.test", "ben@example.test", "cat@example.test"
GROUP = "00gteam"


def begin(page=2):
    double = OktaDouble(page)
    for person in (AVA, BEN, CAT):
        name = person.split("@")[0]
        double.add_user("00u" + name, person)
    double.add_group(GROUP, "Security", members=["00uava", "00uben"])
    return double


def membership(double, **more):
    return {"okta": {"api": {"url": double.url, "token_file": "token", **more}, "group": GROUP}}


def asking(double, **more):
    return Asking(membership(double, **more), {"token": double.token})


def test_who():
    double = begin()
    with asking(double) as ask:
        tap.equal("who is in the group", ask.members(AVA, BEN, CAT), [AVA, BEN])
        tap.equal("nobody asked for", ask.members(), [])
        tap.equal("somebody there is not", ask.members("nobody@example.test", AVA), [AVA])
        double.members[GROUP] = ["00uben", "00ucat"]
        tap.equal("as it is now", ask.members(AVA, BEN, CAT), [BEN, CAT])
        for status in ("STAGED", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT",
                       "SUSPENDED", "DEPROVISIONED", "active"):
            double.users["00uben"]["status"] = status
            reply = ask.ask(BEN, CAT)
            tap.ok(f"{status} is not ACTIVE", reply.get("members") == [CAT] or
                   (status == "active" and "error" in reply), reply)
        double.users["00uben"]["status"] = "ACTIVE"
        double.users["00uben"]["profile"]["login"] = "b.smith"
        tap.equal("it is the mail that counts", ask.members(BEN), [BEN])
        double.users["00uben"]["profile"]["email"] = "b.smith@example.test"
        double.users["00uben"]["profile"]["login"] = BEN
        tap.equal("not the login", ask.members(BEN), [])
    double.close()


def test_two():
    double = begin()
    with asking(double) as ask:
        double.add_user("00uava2", "other", email=AVA)
        tap.equal("two users with a mail are nobody", ask.members(AVA, BEN), [BEN])
        double.users["00uava2"]["status"] = "DEPROVISIONED"
        tap.equal("even if one is gone", ask.members(AVA, BEN), [BEN])
        double.users["00uava2"]["profile"]["email"] = "else@example.test"
        tap.equal("one again", ask.members(AVA, BEN), [AVA, BEN])
    double.close()


def test_hostile():
    double = begin()
    with asking(double) as ask:
        for name in ('"', '\\', 'ava@example.test" or profile.email pr or profile.email eq "x',
                     '" or status eq "ACTIVE', "*", "ava@example.test ", "a&limit=1#",
                     "\u00e4va@example.test", "%22"):
            tap.equal(f"{name!a} is nobody", ask.members(name), [])
        tap.equal("and stands in nobody's way", ask.members('"', AVA, "\\", BEN), [AVA, BEN])
    double.close()


def test_many():
    double = begin(page=7)
    people = [f"p{i:03}" for i in range(41)]
    for p in people:
        double.add_user("00u" + p, f"{p}@example.test")
    double.members[GROUP] = ["00u" + p for p in people[::2]]
    mails = [f"{p}@example.test" for p in people]
    with asking(double) as ask:
        tap.equal("every second of 41", ask.members(*mails), mails[::2])
        tap.equal("the group by pages", len(double.seen("GET", f"/groups/{GROUP}/users")), 3)
        # Five questions of ten addresses at most, those of ten in two pages.
        tap.equal("the people too", len(double.seen("GET", "/users$")) -
                  len(double.seen("GET", f"/groups/{GROUP}/users")), 9)
        double.fault("GET", r"/api/v1/users$", status=200, body=list(double.users.values()))
        tap.equal("who was not asked for counts for nothing", ask.members(AVA), [])
    double.close()


def test_trouble():
    double = begin()
    with asking(double) as ask:
        double.fault("GET", f"/groups/{GROUP}", status=429, headers={"Retry-After": "1"})
        reply = ask.ask(AVA)
        tap.ok("it is asked again when it says", reply.get("members") == [AVA] and
               reply["took_ms"] >= 1000, reply)
        double.fault("GET", f"/groups/{GROUP}", status=429, headers={"Retry-After": "3600"})
        reply = ask.ask(AVA)
        tap.ok("not for as long as anybody likes", reply.get("error", {}).get("code") ==
               "rate_limited" and reply["took_ms"] < 11000, reply)
        for name, fault, code in (
                ("a token that is refused", {"status": 401}, "permission_denied"),
                ("a broken Okta", {"status": 500, "times": 50}, "backend_unavailable"),
                ("what is no list", {"status": 200, "body": {"a": 1}}, "backend_unavailable"),
                ("what is no user", {"status": 200, "body": [{"id": 7}]},
                 "backend_unavailable"),
                ("no JSON", {"status": 200, "body": "<html>", "type": "text/html",
                              "times": 50},
                 "backend_unavailable")):
            double.forget()
            double.fault("GET", f"/groups/{GROUP}", **fault)
            error = ask.error(AVA)
            tap.ok(name, error.get("code") == code and double.token not in str(error), error)
        double.forget()
        del double.groups[GROUP]
        tap.equal("a group that is not there is no empty one", ask.error(AVA).get("code"),
                  "not_found")
    double.close()


def test_slow():
    double = begin()
    with asking(double, timeout_ms=500) as ask:
        wait = threading.Event()
        double.fault("GET", "/users", wait=wait, times=50)
        reply = ask.ask(AVA)
        wait.set()
        tap.ok("one that does not answer is waited for so long", "error" in reply and
               reply["took_ms"] < 12000, reply)
    double.close()


def test_configuration():
    double = begin()
    with asking(double) as ask:
        for name, okta in (
                ("a name in place of an id", {"group": "Security"}),
                ("a path", {"group": "00g/../users"}),
                ("something unknown", {"group": GROUP, "surprise": 1}),
                ("no group", {})):
            ask.configure({"okta": {"api": {"url": double.url, "token_file": "token"}, **okta}})
            tap.equal(f"{name} is refused", ask.error(AVA).get("code"), "invalid_argument")
        ask.configure({**membership(double), "ldap": {}})
        tap.equal("two groups are", ask.error(AVA).get("code"), "invalid_argument")
    double.close()


class OktaSource:
    """For the runs through a gate."""

    name = "Okta"

    def __init__(self, people):
        self.ids = {p: "00u" + p.split("@")[0] for p in people}
        self.double = OktaDouble(2)
        for person, uid in self.ids.items():
            self.double.add_user(uid, person)
        self.double.add_group(GROUP, "Security", members=self.ids.values())
        self.wait = None

    def membership(self):
        return {"okta": {"api": {"url": self.double.url, "token_file": "tokens/okta",
                                 "timeout_ms": 500}, "group": GROUP}}

    def bad(self):
        api = {"url": "http://okta.example.test", "token_file": "tokens/okta"}
        return (("a token that would go in clear",
                 {"okta": {"api": api, "group": GROUP}}, "error"),
                ("a token that is not there",
                 {"okta": {"api": {**api, "url": self.double.url, "token_file": "tokens/none"},
                           "group": GROUP}}, "warning"))

    def files(self):
        return {"tokens/okta": self.double.token}

    def secret(self):
        return self.double.token

    def set_members(self, people):
        self.double.members[GROUP] = [self.ids[p] for p in people]

    def disable(self, person, is_disabled):
        self.double.users[self.ids[person]]["status"] = \
            "SUSPENDED" if is_disabled else "ACTIVE"

    def copy(self, person, is_there):
        if is_there:
            self.double.add_user("00ucopy", "copy", email=person)
        else:
            del self.double.users["00ucopy"]

    def stop(self):
        self.double.fault("*", "", status=503, times=1 << 30)

    def start(self):
        self.double.forget()

    def close(self):
        self.double.close()


def test_gate():
    membership_runs.run_all(OktaSource)


if __name__ == "__main__":
    tap.run([test_who, test_two, test_hostile, test_many, test_trouble, test_slow,
             test_configuration, test_gate])
    tap.done()
