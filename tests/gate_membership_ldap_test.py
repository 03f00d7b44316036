"""A group in LDAP says who is in the team: asked of a real slapd, alone and through a gate."""

import socket
import threading

import membership_runs
import tap
from membership import Asking, Directory, SUFFIX, group_dn, person_dn

AVA, BEN, CAT = "ava@example.test", "ben@example.test", "cat@example.test"


def begin():
    d = Directory()
    d.person("ava", AVA)
    d.person("ben", BEN)
    d.person("cat", CAT)
    d.group("team", ["ava", "ben"])
    return d


def test_who():
    with begin() as d, Asking({"ldap": d.membership()}) as ask:
        tap.equal("who is in the group", ask.members(AVA, BEN, CAT), [AVA, BEN])
        tap.equal("nobody asked for", ask.members(), [])
        tap.equal("somebody there is not", ask.members("nobody@example.test", AVA), [AVA])
        d.set_group("team", ["ben", "cat"])
        tap.equal("as it is now", ask.members(AVA, BEN, CAT), [BEN, CAT])
        d.set_person("ben", "mail", "BEN@Example.test")
        tap.equal("whatever the case of a mail", ask.members(BEN), [BEN])
        d.person("twice", ["two@example.test", "other@example.test"])
        d.set_group("team", ["twice"])
        tap.equal("one of several mails", ask.members("other@example.test"),
                  ["other@example.test"])
        d.set_person("ben", "mail", f"x{BEN}")
        d.set_group("team", ["ben"])
        tap.equal("a longer one is another", ask.members(BEN), [])


def test_hostile():
    """What stands in a person's id is never a filter."""
    with begin() as d, Asking({"ldap": d.membership()}) as ask:
        for name in ("*", "a*", "*@example.test", "ava@example.test)(uid=*", "\\2a", "a\\",
                     "ava@example.test)(|(uid=ben)", ")", "((", "ava@example.test\\00",
                     " ", "&", "ava@example.test ", "=", "\u00e4va@example.test", "x" * 3000):
            tap.equal(f"{name[:40]!a} is nobody", ask.members(name), [])
        tap.equal("and stands in nobody's way", ask.members("*", AVA, "(", BEN), [AVA, BEN])
        d.person("odd", "o'neil+(x)*@example.test")
        d.set_group("team", ["odd"])
        tap.equal("somebody who is called so",
                  ask.members("o'neil+(x)*@example.test"), ["o'neil+(x)*@example.test"])
        d.change(f"dn: cn=Odd\\2C \\2A (x),ou=people,{SUFFIX}\nchangetype: add\n"
                 "objectClass: inetOrgPerson\ncn: Odd, * (x)\nsn: x\nmail: dn@example.test\n")
        d.set_group("team", [f"cn=Odd\\2C \\2A (x),ou=people,{SUFFIX}"])
        tap.equal("whose entry is called so", ask.members("dn@example.test"),
                  ["dn@example.test"])


def test_two():
    with begin() as d, Asking({"ldap": d.membership()}) as ask:
        d.person("ava2", AVA)
        tap.equal("two entries with a mail are nobody", ask.members(AVA, BEN), [BEN])
        d.set_person("ava2", "mail", "AVA@EXAMPLE.TEST")
        tap.equal("in other letters too", ask.members(AVA, BEN), [BEN])
        d.set_person("ava2", "mail", "else@example.test")
        tap.equal("one again", ask.members(AVA, BEN), [AVA, BEN])
        for i in range(401):
            if i % 100 == 0:
                batch = []
            batch.append(f"dn: uid=c{i},ou=people,{SUFFIX}\nchangetype: add\nobjectClass: "
                         f"inetOrgPerson\nuid: c{i}\ncn: x\nsn: x\nmail: crowd@example.test\n")
            if i % 100 == 99 or i == 400:
                d.change("\n".join(batch))
        tap.equal("a crowd with one mail", ask.error("crowd@example.test")["code"],
                  "backend_unavailable")
        d.remove(f"uid=c400,ou=people,{SUFFIX}")
        tap.equal("as many as are counted are nobody", ask.members("crowd@example.test"), [])


def test_disabled():
    never, past, ahead = 2 ** 63 - 1, 133000000000000000, 300000000000000000
    with begin() as d, Asking({"ldap": d.membership()}) as ask:
        for attribute, value, is_member in (
                ("pwdAccountLockedTime", "000001010000Z", False),
                ("pwdAccountLockedTime", "20260101000000Z", True),   # wrong passwords: it ends
                ("nsAccountLock", "TRUE", False), ("nsAccountLock", "true", False),
                ("nsAccountLock", "false", True),
                ("userAccountControl", 514, False), ("userAccountControl", 512, True),
                ("userAccountControl", 66050, False),
                ("accountExpires", past, False), ("accountExpires", ahead, True),
                ("accountExpires", never, True), ("accountExpires", 0, True)):
            d.set_person("ava", attribute, value)
            tap.equal(f"{attribute} {value}", ask.members(AVA), [AVA] if is_member else [])
            d.set_person("ava", attribute, None)
        ask.configure({"ldap": d.membership(filter="(employeeType=staff)")})
        tap.equal("who does not match the filter is none", ask.members(AVA), [])
        d.set_person("ava", "employeeType", "staff")
        tap.equal("who does is", ask.members(AVA), [AVA])


def test_groups():
    with begin() as d, Asking({"ldap": d.membership(group=group_dn("unique"))}) as ask:
        d.group("unique", ["ava", "cat"], "uniqueMember")
        tap.equal("uniqueMember", ask.members(AVA, BEN, CAT), [AVA, CAT])
        ask.configure({"ldap": d.membership(member_attribute="uniqueMember")})
        tap.equal("another kind of group than was said", ask.members(AVA), [])
        d.group("posix", ["ava", "cat"], "memberUid")
        ask.configure({"ldap": d.membership(group=group_dn("posix"))})
        tap.equal("memberUid counts only when it is said", ask.members(AVA), [])
        ask.configure({"ldap": d.membership(group=group_dn("posix"),
                                            member_attribute="memberUid")})
        tap.equal("then it does", ask.members(AVA, BEN, CAT), [AVA, CAT])
        d.change(f"dn: uid=ava,ou=sub,ou=people,{SUFFIX}\nchangetype: add\nobjectClass: account\n"
                 "uid: ava\n".replace("uid=ava,ou=sub,ou=people", "uid=ava+description=x,ou=people")
                 + "description: x\n")
        tap.equal("a uid that two have is nobody's", ask.members(AVA, CAT), [CAT])
        d.change(f"dn: cn=anonymous,ou=people,{SUFFIX}\nchangetype: add\n"
                 "objectClass: inetOrgPerson\ncn: anonymous\nsn: x\nmail: anon@example.test\n")
        tap.equal("who has none is nobody", ask.members("anon@example.test"), [])
        members = [f"m{i}" for i in range(3000)] + ["ben"]
        d.group("large", members)
        ask.configure({"ldap": d.membership(group=group_dn("large"))})
        tap.equal("the last of three thousand", ask.members(BEN, CAT), [BEN])
        ask.configure({"ldap": d.membership(group=group_dn("gone"))})
        error = ask.error(AVA)
        tap.ok("a group that is not there is no empty one",
               error["code"] == "not_found" and "cn=gone" in error["message"], error)
        d.group("hidden", ["ava"])
        ask.configure({"ldap": d.membership(group=group_dn("hidden"))})
        tap.equal("nor is one that is hidden", ask.error(AVA)["code"], "not_found")


def test_nested():
    with begin() as d, Asking({"ldap": d.membership()}) as ask:
        d.group("leads", ["cat"])
        d.set_group("team", ["ava", group_dn("leads")])
        tap.equal("groups are no members by themselves", ask.members(AVA, CAT), [AVA])
        nested = d.membership(nested_base=f"ou=groups,{SUFFIX}")
        ask.configure({"ldap": nested})
        tap.equal("they are where that is said", ask.members(AVA, BEN, CAT), [AVA, CAT])
        d.set_group("leads", [group_dn("team"), "ava", "cat"])
        tap.equal("circles end", ask.members(AVA, BEN, CAT), [AVA, CAT])
        d.person("deep", "deep@example.test")
        d.group("n0", ["deep"])
        for i in range(1, 6):
            d.group(f"n{i}", [group_dn(f"n{i - 1}")])
        d.set_group("team", [group_dn("n4")])
        tap.equal("five levels down", ask.members("deep@example.test"), ["deep@example.test"])
        d.set_group("team", [group_dn("n5")])
        tap.equal("not six", ask.members("deep@example.test"), [])
        d.person("wide", "wide@example.test")
        for i in range(100):
            d.group(f"w{i:03}", ["wide"])
        d.set_group("team", [group_dn("w050")])
        tap.equal("of a hundred groups", ask.members("wide@example.test"),
                  ["wide@example.test"])
        d.group("w100", ["wide"])
        tap.equal("of more nobody is a member", ask.members("wide@example.test", AVA), [])
        ask.configure({"ldap": {**nested, "member_attribute": "memberUid"}})
        tap.equal("not by uids", ask.error(AVA)["code"], "invalid_argument")


def test_many():
    """More people than one search takes."""
    with Directory() as d, Asking({"ldap": d.membership()}) as ask:
        people = [f"p{i:03}" for i in range(121)]
        d.change("\n".join(
            f"dn: {person_dn(p)}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: {p}\ncn: {p}\n"
            f"sn: x\nmail: {p}@example.test\n" for p in people))
        d.group("team", people[::2])
        mails = [f"{p}@example.test" for p in people]
        reply = ask.ask(*mails)
        tap.equal("every second of 121", reply.get("members", reply), mails[::2])
        tap.note(f"121 people, 61 members: {reply['took_ms']} ms")


def test_trouble():
    with begin() as d, Asking({"ldap": d.membership()}) as ask:
        d.stop()
        error = ask.error(AVA)
        tap.ok("it is down", error["code"] == "backend_unavailable" and d.uri in error["message"],
               error)
        d.restart()
        tap.equal("and up", ask.members(AVA), [AVA])
        ask.configure({"ldap": d.membership(timeout_ms=300)})
        d.pause()
        reply = ask.ask(AVA)
        tap.ok("one that does not answer is waited for so long",
               "error" in reply and reply["took_ms"] < 5000, reply)
        d.resume()
        tap.equal("then it answers", ask.members(AVA), [AVA])
        with open(d.folder / "password", "w", encoding="ascii") as f:
            f.write("wrong")
        error = ask.error(AVA)
        tap.ok("a password that is wrong", error["code"] == "backend_unavailable" and
               "wrong" not in error["message"], error)
        ask.configure({"ldap": d.membership(uri="ldap://ldap.example.test")})
        error = ask.error(AVA)
        tap.ok("no password goes over a network in clear",
               error["code"] == "invalid_argument" and "clear text" in error["message"], error)
        ask.configure({"ldap": d.membership(uri="ldapi://%2Frun%2Fslapd")})
        tap.equal("nor to a socket, beside which the gate's would be reached",
                  ask.error(AVA)["code"], "invalid_argument")


def test_tls():
    with begin() as d, Asking({"ldap": d.membership(uri=d.tls_uri, ca_file=str(d.ca))}) as ask:
        tap.equal("by ldaps", ask.members(AVA, CAT), [AVA])
        ask.configure({"ldap": d.membership(start_tls=True, ca_file=str(d.ca))})
        tap.equal("by StartTLS", ask.members(AVA, CAT), [AVA])
        ask.configure({"ldap": d.membership(uri=d.tls_uri)})
        tap.equal("not with whoever else says that it is", ask.error(AVA).get("code"),
                  "backend_unavailable")
    with Directory("DNS:other.example.test") as d, Asking(
            {"ldap": d.membership(uri=d.tls_uri, ca_file=str(d.ca))}) as ask:
        tap.equal("nor under another name", ask.error(AVA).get("code"), "backend_unavailable")


def test_talks_no_ldap():
    """Whoever listens there and never says anything, or says something else."""
    for name, said in (("says nothing", b""), ("says something else", b"HTTP/1.1 200 OK\r\n\r\n")):
        with socket.create_server(("127.0.0.1", 0)) as s:
            def serve(s=s, said=said):
                try:
                    while True:
                        peer, _ = s.accept()
                        peers.append(peer)
                        peer.sendall(said)
                except OSError:
                    pass
            peers = []
            threading.Thread(target=serve, daemon=True).start()
            with Directory() as d, Asking({"ldap": d.membership(
                    uri=f"ldap://127.0.0.1:{s.getsockname()[1]}", timeout_ms=300)}) as ask:
                reply = ask.ask(AVA)
                tap.ok(f"it {name}", "error" in reply and reply["took_ms"] < 5000, reply)
            s.close()
            for peer in peers:
                peer.close()


class LdapSource:
    """For the runs through a gate."""

    name = "LDAP"

    def __init__(self, people):
        self.uid = {p: p.split("@")[0] for p in people}
        self.directory = Directory()
        for person, uid in self.uid.items():
            self.directory.person(uid, person)
        self.directory.group("team", list(self.uid.values()))

    def membership(self):
        d = self.directory
        return {"ldap": d.membership(uri=d.tls_uri, ca_file=str(d.ca), timeout_ms=2000)}

    def bad(self):
        membership = self.directory.membership
        return (("a password that would go in clear",
                 {"ldap": membership(uri="ldap://ldap.example.test")}, "error"),
                ("a password that is not there",
                 {"ldap": membership(password_file="tokens/none")}, "warning"),
                ("an authority that is not there",
                 {"ldap": membership(ca_file="tokens/none")}, "warning"))

    def files(self):
        return {}

    def secret(self):
        return self.directory.password

    def set_members(self, people):
        self.directory.set_group("team", [self.uid[p] for p in people])

    def disable(self, person, is_disabled):
        self.directory.set_person(self.uid[person], "nsAccountLock",
                                  "TRUE" if is_disabled else None)

    def copy(self, person, is_there):
        if is_there:
            self.directory.person("copy", person)
        else:
            self.directory.remove(person_dn("copy"))

    def stop(self):
        self.directory.stop()

    def start(self):
        self.directory.restart()

    def close(self):
        self.directory.close()


def test_gate():
    membership_runs.run_all(LdapSource)


if __name__ == "__main__":
    tap.run([test_who, test_hostile, test_two, test_disabled, test_groups, test_nested,
             test_many, test_trouble, test_tls, test_talks_no_ldap, test_gate])
    tap.done()
