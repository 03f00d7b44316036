"""A private 389 Directory Server, for tests.

    with ds389.Ds389() as directory:
        sys.exit(directory.run([program]))

All its files are in a temporary folder, on free loopback ports; nothing is started by
dscreate, which wants a machine's own paths and systemd. It is stopped by its own process
handle, and ends with the test if that is killed.
"""

import getpass
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import tempfile

import certificates
import private_server

SUFFIX = "dc=example,dc=test"
SERVER = "/usr/sbin/ns-slapd"
TEMPLATE = "/usr/share/dirsrv/data/template-dse.ldif"
FOLDERS = ("config/schema", "lock", "tmp", "ldif", "bak", "run", "inst", "db", "log")

BACKEND = f"""
dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userRoot
nsslapd-suffix: {SUFFIX}
nsslapd-directory: @FOLDER@/db/userRoot

dn: cn="{SUFFIX}",cn=mapping tree,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: "{SUFFIX}"
nsslapd-state: backend
nsslapd-backend: userRoot
"""


def missing():
    """Why none can be started here, or None."""
    for program in (SERVER, "/usr/bin/certutil", "/usr/bin/pk12util"):
        if not os.access(program, os.X_OK):
            return f"{program} is not installed"
    return None


class Ds389(private_server.PrivateServer):
    def __init__(self, ldif):
        """'ldif' is the whole directory; @NAME@ in it is replaced by the password of
        'service', 'weak' or 'admin'."""
        super().__init__()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="389ds-test-"))
        self.passwords = {name: secrets.token_hex(16) for name in ("service", "weak", "admin")}
        try:
            self._make_folders()
            self._make_certificates()
            self._first_start(ldif)
        except BaseException:
            self.close()
            raise

    def _make_folders(self):
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True, mode=0o700)
        # The machine's own are its dirsrv's alone; of these a test wants nothing.
        (self.folder / "config/slapd-collations.conf").write_text("")
        (self.folder / "config/certmap.conf").write_text("certmap default default\n")
        (self.folder / "config/schema/99user.ldif").write_text(
            "dn: cn=schema\nobjectClass: top\nobjectClass: ldapSubentry\n"
            "objectClass: subschema\ncn: schema\n")
        for name, password in self.passwords.items():
            path = self.folder / f"{name}.password"
            path.touch(0o600)
            path.write_text(password)

    def _make_certificates(self):
        pem, key = certificates.make(self.folder, "good")
        certificates.make(self.folder, "wrong")
        store, p12 = f"sql:{self.folder}/config", self.folder / "good.p12"
        for command in (
                ["certutil", "-N", "-d", store, "--empty-password"],
                ["openssl", "pkcs12", "-export", "-inkey", key, "-in", pem, "-name", "Server-Cert",
                 "-passout", "pass:", "-out", p12],
                ["pk12util", "-i", p12, "-d", store, "-W", ""],
                ["certutil", "-M", "-d", store, "-n", "Server-Cert", "-t", "CTu,u,u"]):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

    def _configure(self):
        """The template that dscreate fills, filled with folders of our own."""
        at = self.folder
        values = {
            "schema_dir": at / "config/schema", "lock_dir": at / "lock", "tmp_dir": at / "tmp",
            "cert_dir": at / "config", "ldif_dir": at / "ldif", "bak_dir": at / "bak",
            "run_dir": at / "run", "inst_dir": at / "inst", "log_dir": at / "log",
            "config_dir": at / "config", "db_dir": at / "db", "db_home_dir": at / "db",
            "db_lib": "bdb", "fqdn": "localhost", "ds_port": self.port,
            "ds_user": getpass.getuser(), "ds_suffix": SUFFIX, "rootdn": "cn=nobody",
            "ds_passwd": "", "ldapi": at / "ldapi", "ldapi_enabled": "off",
            "ldapi_autobind": "off",
        }
        text = pathlib.Path(TEMPLATE).read_text()
        # Nobody logs in as its root: what is there is loaded before it starts.
        text = re.sub(r"nsslapd-rootpw:.*\n", "", text)
        text = re.sub(r"%([a-z_]+)%", lambda found: str(values[found[1]]), text)
        text = text.replace(
            "nsslapd-localhost:", "nsslapd-listenhost: 127.0.0.1\n"
            f"nsslapd-securelistenhost: 127.0.0.1\nnsslapd-secureport: {self.tls_port}\n"
            "nsslapd-security: on\npasswordLockout: on\npasswordMaxFailure: 3\n"
            "nsslapd-localhost:", 1)
        (at / "config/dse.ldif").write_text(
            text.rstrip() + "\n" + BACKEND.replace("@FOLDER@", str(at)))

    def _load(self, ldif):
        for name, password in self.passwords.items():
            ldif = ldif.replace(f"@{name}@", password)
        path = self.folder / "people.ldif"
        path.write_text(ldif)
        done = subprocess.run(
            [SERVER, "ldif2db", "-D", self.folder / "config", "-n", "userRoot", "-i", path],
            capture_output=True, text=True)
        if done.returncode != 0 or "bad entry" in done.stderr or "Skipping" in done.stderr:
            raise RuntimeError("389-DS does not load: " + done.stderr[-3000:])

    def _first_start(self, ldif):
        for attempt in range(5):  # somebody else may take a port in between
            self.port, self.tls_port = private_server.free_port(), private_server.free_port()
            self._configure()
            if attempt == 0:
                self._load(ldif)
            if self.start():
                return
        raise RuntimeError("389-DS does not start: " + self.output())

    def start(self):
        with open(self.folder / "output", "ab") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", SERVER, "-D", self.folder / "config",
                 "-i", self.folder / "pid", "-d", "0"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        return self.answers(self.port) and self.answers(self.tls_port)

    def output(self):
        return (self.folder / "output").read_text(errors="replace")[-2000:]

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def environment(self):
        def file(name):
            return str(self.folder / name)
        return {
            "DIRECTORY_URI": f"ldaps://127.0.0.1:{self.tls_port}",
            "DIRECTORY_CLEAR_URI": f"ldap://127.0.0.1:{self.port}",
            "DIRECTORY_CA": file("good.pem"),
            "DIRECTORY_WRONG_CA": file("wrong.pem"),
            "DIRECTORY_SERVICE": f"cn=wingman,ou=services,{SUFFIX}",
            "DIRECTORY_SERVICE_FILE": file("service.password"),
            "DIRECTORY_WEAK": f"cn=weak,ou=services,{SUFFIX}",
            "DIRECTORY_WEAK_FILE": file("weak.password"),
            "DIRECTORY_ADMIN": f"cn=admin,ou=services,{SUFFIX}",
            "DIRECTORY_ADMIN_FILE": file("admin.password"),
        }
