"""Run the program live-backend_ldap beside a private directory; its results are ours."""

import os
import sys

import slapd

# Somebody whom the directory itself locked after failed logins, long ago and just now.
EXTRA = "\n".join(
    f"dn: {slapd.person_dn(uid)}\nobjectClass: inetOrgPerson\nuid: {uid}\n"
    f"cn: {uid}\nsn: X\nmail: {uid}@example.test\npwdAccountLockedTime: {locked}\n"
    for uid, locked in [("failed.long.ago", "20200101000000Z"), ("failed.2026", "20261122095500Z")])

if slapd.missing():
    print(f"1..0 # SKIP {slapd.missing()}")
    sys.exit(0)
with slapd.Slapd(extra_ldif=EXTRA) as directory:
    sys.exit(directory.run([os.environ["WINGMAN_BUILD"] + "/tests/live-backend_ldap"]))
