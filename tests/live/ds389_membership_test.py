"""A group of a private 389 Directory Server says who is in the team."""

import subprocess
import sys

import ds389
import ds389_people
import tap
from membership import Asking

SUFFIX = ds389.SUFFIX
NAMES = ("lead.one", "was.false", "by.role", "dsidm.made", "locked.out", "john.doe")
ONE, FALSE, ROLE, MADE, LOCKED, JOHN = (f"{name}@example.test" for name in NAMES)
LEADS = f"cn=leads,ou=groups,{SUFFIX}"

if ds389.missing():
    print(f"1..0 # SKIP {ds389.missing()}")
    sys.exit(0)


def change(rig, dn, how):
    told = rig.environment()
    subprocess.run(["ldapmodify", "-x", "-H", told["DIRECTORY_CLEAR_URI"], "-D",
                    told["DIRECTORY_ADMIN"], "-y", told["DIRECTORY_ADMIN_FILE"]],
                   input=f"dn: {dn}\nchangetype: modify\n{how}\n", text=True, check=True,
                   stdout=subprocess.DEVNULL)


def person(name):
    return f"uid={name},ou=people,{SUFFIX}"


with ds389.Ds389(ds389_people.ldif()) as rig:
    told = rig.environment()

    def membership(**more):
        return {"ldap": {"uri": told["DIRECTORY_URI"], "ca_file": told["DIRECTORY_CA"],
                         "bind_dn": told["DIRECTORY_SERVICE"],
                         "password_file": told["DIRECTORY_SERVICE_FILE"],
                         "people_base": f"ou=people,{SUFFIX}", "group": LEADS, **more}}

    def test_who():
        tap.equal("who is in the group", ask.members(ONE, JOHN), [ONE])
        change(rig, LEADS, "replace: member\n" + "\n".join(
            f"member: {person(name)}" for name in NAMES[:5]))
        tap.equal("as it is now; a role that makes inactive counts, wrong passwords do not",
                  ask.members(ONE, FALSE, ROLE, MADE, LOCKED, JOHN),
                  [ONE, FALSE, MADE, LOCKED])

    def test_standing():
        change(rig, person("lead.one"), "replace: nsAccountLock\nnsAccountLock: true")
        tap.equal("who is locked is none", ask.members(ONE, FALSE), [FALSE])
        change(rig, person("lead.one"), "delete: nsAccountLock")
        tap.equal("and unlocked is", ask.members(ONE), [ONE])
        change(rig, person("jane.roe"), f"replace: mail\nmail: {ONE}")
        tap.equal("two with a mail are nobody", ask.members(ONE, FALSE), [FALSE])

    def test_trouble():
        ask.configure(membership(ca_file=told["DIRECTORY_WRONG_CA"]))
        tap.equal("another authority", ask.error(ONE).get("code"), "backend_unavailable")

    with Asking(membership()) as ask:
        tap.run([test_who, test_standing, test_trouble])
tap.done()
