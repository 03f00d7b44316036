"""A group of a private domain controller says who is in the team."""

import os
import subprocess

import samba_dc
import tap

samba_dc.enter()

from membership import Asking  # noqa: E402: in the network of our own

SUFFIX = samba_dc.SUFFIX
ONE, TWO, RUNNER = (f"{name}@example.test" for name in ("lead.one", "lead.two", "ci.runner"))
PETER = "peter.stone@example.test"


def group(name):
    return f"CN={name},OU=Groups,{SUFFIX}"


def person(cn):
    return f"CN={cn},OU=People,{SUFFIX}"


def change(dc, dn, how):
    told = dc.environment()
    subprocess.run(["ldapmodify", "-x", "-H", told["DIRECTORY_URI"], "-D",
                    told["DIRECTORY_ADMIN"], "-y", told["DIRECTORY_ADMIN_FILE"]],
                   input=f"dn: {dn}\nchangetype: modify\n{how}\n", text=True, check=True,
                   stdout=subprocess.DEVNULL,
                   env={**os.environ, "LDAPTLS_CACERT": told["DIRECTORY_CA"]})


with samba_dc.SambaDc() as dc:
    told = dc.environment()

    def membership(**more):
        return {"ldap": {"uri": told["DIRECTORY_URI"], "ca_file": told["DIRECTORY_CA"],
                         "bind_dn": told["DIRECTORY_SERVICE"],
                         "password_file": told["DIRECTORY_SERVICE_FILE"],
                         "people_base": SUFFIX, "group": group("Leads"), **more}}

    def set_flag(cn, attribute, value):
        change(dc, person(cn), f"replace: {attribute}\n{attribute}: {value}")

    def test_who():
        tap.equal("who is in the group", ask.members(ONE, TWO, RUNNER), [ONE, TWO])
        change(dc, group("Leads"), f"delete: member\nmember: {person('Lead Two')}")
        tap.equal("who left is not", ask.members(ONE, TWO), [ONE])
        name = person("Stone\\, Peter")
        change(dc, group("Leads"), f"add: member\nmember: {name}")
        tap.equal("a name with a comma", ask.members(PETER), [PETER])

    def test_standing():
        for attribute, value, is_member in (
                ("userAccountControl", 514, False), ("userAccountControl", 512, True),
                ("accountExpires", 133000000000000000, False), ("accountExpires", 0, True)):
            set_flag("Lead One", attribute, value)
            tap.equal(f"{attribute} {value}", ask.members(ONE), [ONE] if is_member else [])
        set_flag("Jane Roe", "mail", ONE)
        tap.equal("two with a mail are nobody", ask.members(ONE), [])
        set_flag("Jane Roe", "mail", "jane.roe@example.test")

    def test_nested():
        ask.configure(membership(group=group("Service Accounts")))
        tap.equal("not by a group within it", ask.members(RUNNER), [])
        ask.configure(membership(group=group("Service Accounts"),
                                 nested_base=f"OU=Groups,{SUFFIX}"))
        tap.equal("but where that is said", ask.members(RUNNER, ONE), [RUNNER])

    def test_trouble():
        ask.configure(membership(group=group("Gone")))
        tap.equal("a group that is not there", ask.error(ONE).get("code"), "not_found")
        ask.configure(membership(ca_file=told["DIRECTORY_WRONG_CA"]))
        tap.equal("another authority", ask.error(ONE).get("code"), "backend_unavailable")

    with Asking(membership()) as ask:
        tap.run([test_who, test_standing, test_nested, test_trouble])
tap.done()
