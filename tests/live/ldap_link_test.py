"""Run the program live-ldap_link beside a private directory; its results are ours."""

import os
import sys

import slapd

CROWD = "\n".join(
    f"dn: uid=crowd-{i},ou=people,{slapd.SUFFIX}\nobjectClass: inetOrgPerson\n"
    f"uid: crowd-{i}\ncn: Crowd {i}\nsn: Crowd\ntitle: Crowd\n"
    for i in range(250))

if slapd.missing():
    print(f"1..0 # SKIP {slapd.missing()}")
    sys.exit(0)
with slapd.Slapd(extra_ldif=CROWD) as directory:
    sys.exit(directory.run([os.environ["WINGMAN_BUILD"] + "/tests/live-ldap_link"]))
