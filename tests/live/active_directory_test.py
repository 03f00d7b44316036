"""Run the program live-active_directory beside a private domain controller; its results
are ours."""

import os
import sys

import samba_dc

samba_dc.enter()
with samba_dc.SambaDc() as dc:
    sys.exit(dc.run([os.environ["WINGMAN_BUILD"] + "/tests/live-active_directory"]))
