"""Run the program live-ds389 beside a private 389 Directory Server; its results are ours."""

import os
import sys

import ds389
import ds389_people

if ds389.missing():
    print(f"1..0 # SKIP {ds389.missing()}")
    sys.exit(0)
with ds389.Ds389(ds389_people.ldif()) as directory:
    sys.exit(directory.run([os.environ["WINGMAN_BUILD"] + "/tests/live-ds389"]))
