"""The tools of the accounts server on a private domain controller."""

import samba_dc
import tap

samba_dc.enter()

import directory_tools  # noqa: E402: in the network of our own

with samba_dc.SambaDc() as dc:
    directory_tools.run(directory_tools.Directory(
        dc, samba_dc.SUFFIX, "{}@ad.example.test", "Pw-{}-1"), "disabled")
tap.done()
