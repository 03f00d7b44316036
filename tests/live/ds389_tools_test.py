"""The tools of the accounts server on a private 389 Directory Server."""

import sys

import directory_tools
import ds389
import ds389_people
import tap

if ds389.missing():
    print(f"1..0 # SKIP {ds389.missing()}")
    sys.exit(0)
with ds389.Ds389(ds389_people.ldif()) as rig:
    directory_tools.run(directory_tools.Directory(
        rig, ds389.SUFFIX, "uid={},ou=people," + ds389.SUFFIX, "pw-{}"), "blocked")
tap.done()
