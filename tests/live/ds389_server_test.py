"""The accounts server itself, in its sandbox, beside a private 389 Directory Server over
TLS: its authorities are read at start and serve later; a directory that is another than
the configuration says is refused at start; one that is down is waited for."""

import sys

import ds389
import ds389_people
import tap
from accounts_server import AccountsServer


def ldap_of(directory, dialect):
    env = directory.environment()
    return {"dialect": dialect, "uri": env["DIRECTORY_URI"], "ca_file": env["DIRECTORY_CA"],
            "bind_dn": env["DIRECTORY_SERVICE"], "password_file": env["DIRECTORY_SERVICE_FILE"],
            "people_base": ds389.SUFFIX, "timeout_ms": 2000}


def test_authorities(directory):
    server = AccountsServer(ldap_of(directory, "auto"))
    tap.ok("it is ready", server.url and server.is_ready())
    directory.restart()
    tap.ok("it connects again from within its sandbox", server.url and server.is_ready())
    server.done()


def test_mismatch(directory):
    server = AccountsServer(ldap_of(directory, "active_directory"))
    said = server.done()
    tap.ok("another kind of directory is refused at start", server.url is None, said)
    tap.ok("and the reason says both", "is 389 Directory Server, but the configuration says "
           "Active Directory" in said, said)


def test_later(directory):
    directory.stop()
    server = AccountsServer(ldap_of(directory, "active_directory"))
    tap.ok("without its directory it starts", server.url is not None)
    tap.ok("and is not ready", server.url and not server.is_ready())
    directory.start()
    tap.ok("nor is it when the directory is another kind", server.url and not server.is_ready())
    server.done()


if ds389.missing():
    print(f"1..0 # SKIP {ds389.missing()}")
    sys.exit(0)
with ds389.Ds389(ds389_people.ldif()) as rig:
    tap.run([lambda test=test: test(rig) for test in (test_authorities, test_mismatch, test_later)])
tap.done()
