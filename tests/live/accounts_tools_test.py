"""Run the program live-accounts_tools beside a private directory; its results are ours."""

import os
import sys

import slapd

# Somebody who was blocked by other means than this server.
EXTRA = (f"dn: {slapd.person_dn('blocked.elsewhere')}\nobjectClass: inetOrgPerson\n"
         "uid: blocked.elsewhere\ncn: Blocked Elsewhere\nsn: Elsewhere\n"
         "pwdAccountLockedTime: 000001010000Z\n")

if slapd.missing():
    print(f"1..0 # SKIP {slapd.missing()}")
    sys.exit(0)
with slapd.Slapd(extra_ldif=EXTRA) as directory:
    sys.exit(directory.run([os.environ["WINGMAN_BUILD"] + "/tests/live-accounts_tools"]))
