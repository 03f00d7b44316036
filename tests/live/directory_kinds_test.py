"""What a directory says of itself, and what the accounts server makes of it at start: the
sample directory as it is, with the words of FreeIPA, and silent."""

import pathlib
import sys
import tempfile

import slapd
import tap
from accounts_server import AccountsServer

# The attributes that FreeIPA's topology plugin adds to the root DSE of its 389-DS.
IPA = """attributetype ( 1.3.6.1.4.1.55555.1 NAME 'ipaTopologyPluginVersion'
	SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
rootDSE "@FILE@"
"""
IPA_LDIF = "dn:\nvendorName: 389 Project\nipaTopologyPluginVersion: 1.0\n"
SILENT = 'access to dn.base="" by * none\n'


def start(directory, dialect):
    """Whether it starts and is ready, and what it said."""
    env = directory.environment()
    ldap = {"uri": env["SLAPD_URI"], "bind_dn": env["SLAPD_SERVICE_DN"],
            "password_file": env["SLAPD_PASSWORD_FILE"], "people_base": slapd.SUFFIX}
    server = AccountsServer({**ldap, "dialect": dialect} if dialect else ldap)
    ready = server.url is not None and server.is_ready()
    return ready, server.done()


def expect(directory, what, dialect, words):
    """'words': None for a start, else a part of the reason."""
    ready, said = start(directory, dialect)
    name = f"{what}, configured as {dialect or 'nothing'}"
    if words is None:
        tap.ok(name + ", is served", ready, said)
    else:
        tap.ok(f"{name}: {words}", not ready and words in said, said)


def test_openldap():
    with slapd.Slapd() as directory:
        expect(directory, "OpenLDAP", None, None)
        expect(directory, "OpenLDAP", "ppolicy", None)
        expect(directory, "OpenLDAP", "freeipa", "is OpenLDAP, but the configuration says FreeIPA")


def test_freeipa():
    with tempfile.TemporaryDirectory(prefix="kinds-") as folder:
        file = pathlib.Path(folder) / "root.ldif"
        file.write_text(IPA_LDIF)
        with slapd.Slapd(extra_conf=IPA.replace("@FILE@", str(file))) as directory:
            expect(directory, "FreeIPA", None, None)
            expect(directory, "FreeIPA", "freeipa", None)
            expect(directory, "FreeIPA", "389ds",
                   "is FreeIPA, but the configuration says 389 Directory Server")


def test_silent():
    with slapd.Slapd(extra_conf=SILENT) as directory:
        expect(directory, "what tells nothing", None, "does not tell our service account what kind")
        expect(directory, "what tells nothing", "ppolicy", None)


if slapd.missing():
    print(f"1..0 # SKIP {slapd.missing()}")
    sys.exit(0)
tap.run([test_openldap, test_freeipa, test_silent])
tap.done()
