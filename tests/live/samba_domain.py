"""Make a domain of our own in the folder given, with Samba's own Python (so Debian's
interpreter runs this, not the tests'). Passwords come as JSON on standard input:
{"administrator", "service", "weak"}; people's are Pw-<name>-1.
"""

import json
import logging
import sys

import ldb
from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.provision import provision
from samba.sd_utils import SDUtils

REALM = "ad.example.test"
SUFFIX = "DC=ad,DC=example,DC=test"

# cn, name, unit, mail
PEOPLE = [
    ("John Doe", "john.doe", "People", True),
    ("Jane Roe", "jane.roe", "People", True),
    ("Zoë Müller", "zoe.mueller", "People", True),
    ("Stone\\, Peter", "peter.stone", "People", True),
    ("Liam O'Brien (contractor)", "liam.obrien", "People", True),
    ("Alex Kim", "alex.kim", "People", True),
    ("Alex Kim 2", "alex.kim2", "People", True),
    ("No Mail", "no.mail", "People", False),
    ("CI Runner", "ci.runner", "People", True),
    ("Lead One", "lead.one", "People", True),
    ("Lead Two", "lead.two", "People", True),
    ("Out Side", "out.side", "Elsewhere", True),
    ("Break Glass", "breakglass-1", "BreakGlass", True),
]
# Rights on people below OU=People: read and write userAccountControl and lockoutTime.
RIGHTS = ["bf967a68-0de6-11d0-a285-00aa003049e2", "28630ebf-41d5-11d1-a9c1-0000f80367c1"]
USER_CLASS = "bf967aba-0de6-11d0-a285-00aa003049e2"


def add_user(samdb, cn, name, unit, password, mail):
    entry = {
        "dn": f"CN={cn},OU={unit},{SUFFIX}", "objectClass": "user", "sAMAccountName": name,
        "userPrincipalName": f"{name}@{REALM}", "userAccountControl": "512",
        "displayName": cn.replace("\\", "").removesuffix(" 2"),
        "unicodePwd": f'"{password}"'.encode("utf-16-le"),
    }
    if mail:
        entry["mail"] = f"{name}@example.test"
    samdb.add(entry)


def add_group(samdb, name, *members):
    dn = f"CN={name},OU=Groups,{SUFFIX}"
    samdb.add({"dn": dn, "objectClass": "group", "sAMAccountName": name,
               "member": list(members)})
    return dn


def person(name):
    cn, _, unit, _ = next(p for p in PEOPLE if p[1] == name)
    return f"CN={cn},OU={unit},{SUFFIX}"


def fill(samdb, passwords):
    for unit in ("People", "Elsewhere", "BreakGlass", "Services", "Groups"):
        samdb.add({"dn": f"OU={unit},{SUFFIX}", "objectClass": "organizationalUnit"})
    for cn, name, unit, mail in PEOPLE:
        add_user(samdb, cn, name, unit, f"Pw-{name}-1", mail)
    for name in ("wingman", "weak"):
        password = passwords["service" if name == "wingman" else name]
        add_user(samdb, name, name, "Services", password, False)
    runners = add_group(samdb, "Runners", person("ci.runner"))
    add_group(samdb, "Service Accounts", runners)
    add_group(samdb, "Leads", person("lead.one"), person("lead.two"))
    found = samdb.search(base=SUFFIX, expression="(sAMAccountName=wingman)", attrs=["objectSid"])
    sid = samdb.schema_format_value("objectSid", found[0]["objectSid"][0]).decode()
    for right in RIGHTS:
        SDUtils(samdb).dacl_add_ace(f"OU=People,{SUFFIX}",
                                    f"(OA;CIIO;RPWP;{right};{USER_CLASS};{sid})")
    # Three wrong passwords lock out, for half an hour.
    domain = ldb.Message(ldb.Dn(samdb, SUFFIX))
    for name, value in (("lockoutDuration", "-18000000000"),
                        ("lockOutObservationWindow", "-18000000000"), ("lockoutThreshold", "3")):
        domain[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    samdb.modify(domain)


def main():
    passwords = json.load(sys.stdin)
    logger = logging.getLogger("provision")
    logger.addHandler(logging.NullHandler())
    made = provision(
        logger, system_session(), targetdir=sys.argv[1], realm=REALM, domain="ADEX",
        serverrole="active directory domain controller", dns_backend="NONE",
        adminpass=passwords["administrator"], hostname="dc1", hostip="127.0.0.1",
        dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
        # No file server here: no extended attributes, no module for them.
        skip_sysvolacl=True)
    fill(made.samdb, passwords)


if __name__ == "__main__":
    main()
