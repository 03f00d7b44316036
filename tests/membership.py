"""What the tests of the gate's membership share: a directory that is changed as it runs, and
a folder whose config/gate.yaml names a group.

    with Directory() as d, Asking({"ldap": d.membership()}) as ask:
        d.person("ava", "ava@example.test")
        d.set_group("team", ["ava"])
        ask.members("ava@example.test")         # ["ava@example.test"]
        ask.error("ava@example.test")["code"]   # when it cannot be known
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import certificates
import private_server
import slapd

BUILD = os.environ["WINGMAN_BUILD"]
SUFFIX = slapd.SUFFIX
ROOT = f"cn=root,{SUFFIX}"
ROOT_PASSWORD = "as the test wants it"
READER = slapd.SERVICE_DN
GROUPS = f"ou=groups,{SUFFIX}"

# What other directories say of an account that is disabled, in words that slapd takes.
FLAGS = """
attributetype ( 2.16.840.1.113730.3.1.610 NAME 'nsAccountLock'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.55555.1 NAME 'otherFlags' AUXILIARY
  MAY ( nsAccountLock $ userAccountControl $ accountExpires ) )
"""

CONF = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
{flags}
{tls}
pidfile "{run}/slapd.pid"
argsfile "{run}/slapd.args"
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
sizelimit size.soft=100 size.hard=500 size.pr=200 size.prtotal=unlimited
disallow bind_anon
database mdb
suffix "{suffix}"
rootdn "{root}"
rootpw "{password}"
directory "{run}/db"
maxsize 67108864
access to attrs=userPassword by anonymous auth by * none
access to dn.base="cn=hidden,{groups}" by * none
access to * by dn.exact="{reader}" read by * none
overlay ppolicy
"""

TREE = f"""dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: example
o: Example Test

dn: ou=people,{SUFFIX}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: ou=services,{SUFFIX}
objectClass: organizationalUnit
ou: services

dn: {READER}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: wingman
userPassword: @SERVICE_PASSWORD@
"""

person_dn = slapd.person_dn


def group_dn(cn):
    return f"cn={cn},{GROUPS}"


class Directory(slapd.Slapd):
    """A private slapd with nobody in it, and somebody who may change everything. Also by
    TLS, whose authority is 'ca'."""

    def __init__(self, names="DNS:localhost,IP:127.0.0.1"):
        self.names = names
        self.tls_uri = f"ldaps://127.0.0.1:{private_server.free_port()}"
        super().__init__()

    def _load(self, extra_ldif, extra_conf):
        (self.folder / "db").mkdir(mode=0o700)
        self.ca, key = certificates.make(self.folder, "directory", self.names)
        tls = f'TLSCertificateFile "{self.ca}"\nTLSCertificateKeyFile "{key}"'
        (self.folder / "slapd.conf").write_text(CONF.format(
            tls=tls,
            flags=FLAGS, run=self.folder, suffix=SUFFIX, root=ROOT, password=ROOT_PASSWORD,
            reader=READER, groups=GROUPS))
        subprocess.run([slapd.SLAPADD, "-q", "-f", self.folder / "slapd.conf", "-b", SUFFIX],
                       input=TREE.replace("@SERVICE_PASSWORD@", self.password).encode(),
                       check=True, stdout=subprocess.DEVNULL)
        path = self.folder / "password"
        path.touch(0o600)
        path.write_text(self.password)

    def membership(self, **more):
        return {"uri": self.uri, "bind_dn": READER,
                "password_file": str(self.folder / "password"),
                "people_base": f"ou=people,{SUFFIX}", "group": group_dn("team"), **more}

    def start(self):
        self.process = subprocess.Popen(
            [slapd.SLAPD, "-f", self.folder / "slapd.conf", "-h", f"{self.uri} {self.tls_uri}",
             "-d", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self.answers(self.port)

    # --- changes, as an administrator makes them ---

    def change(self, ldif, *more, program="ldapmodify"):
        done = subprocess.run([program, "-x", "-H", self.uri, "-D", ROOT, "-w", ROOT_PASSWORD,
                               *more], input=ldif.encode(), capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{ldif}: {done.stderr.decode()}")

    def person(self, uid, mail, **attributes):
        lines = [f"dn: {person_dn(uid)}", "changetype: add", "objectClass: inetOrgPerson",
                 "objectClass: otherFlags", f"uid: {uid}", f"cn: {uid}", "sn: x"]
        for one in mail if isinstance(mail, (list, tuple)) else [mail]:
            lines.append(f"mail: {one}")
        lines += [f"{name}: {value}" for name, value in attributes.items()]
        self.change("\n".join(lines) + "\n")

    def set_person(self, uid, attribute, value):
        """None: without it. Relaxed: only so may somebody write what slapd itself keeps."""
        how = f"replace: {attribute}\n" + ("" if value is None else f"{attribute}: {value}\n")
        self.change(f"dn: {person_dn(uid)}\nchangetype: modify\n{how}", "-e", "!relax")

    def group(self, cn, members, attribute="member"):
        """'members' are uids of people; names with '=' are taken as they stand."""
        kind = {"member": "groupOfNames", "uniqueMember": "groupOfUniqueNames",
                "memberUid": "posixGroup"}[attribute]
        lines = [f"dn: {group_dn(cn)}", "changetype: add", f"objectClass: {kind}", f"cn: {cn}"]
        lines += ["gidNumber: 7"] if kind == "posixGroup" else []
        lines += self._members(attribute, members)
        self.change("\n".join(lines) + "\n")

    def _members(self, attribute, members):
        if attribute == "memberUid":
            return [f"memberUid: {m}" for m in members]
        return [f"{attribute}: {m if '=' in m else person_dn(m)}"
                for m in members or [f"cn=nobody,{SUFFIX}"]]

    def set_group(self, cn, members, attribute="member"):
        self.change(f"dn: {group_dn(cn)}\nchangetype: modify\nreplace: {attribute}\n" +
                    "\n".join(self._members(attribute, members)) + "\n")

    def remove(self, dn):
        self.change(f"dn: {dn}\nchangetype: delete\n")


class Asking:
    """A folder with a config/gate.yaml, and the part of the gate that asks."""

    def __init__(self, membership, files=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="membership "))
        (self.folder / "config").mkdir()
        for name, text in dict(files).items():
            self.put(name, text)
        self.configure(membership)

    def put(self, name, text):
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text)

    def configure(self, membership):
        self.put("config/gate.yaml", json.dumps({"persons": [], "team": [],
                                                 "membership": membership}))

    def ask(self, *people):
        done = subprocess.run([os.path.join(BUILD, "tests", "members-ask"), self.folder, *people],
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def members(self, *people):
        reply = self.ask(*people)
        return reply.get("members", reply)

    def error(self, *people):
        reply = self.ask(*people)
        return reply.get("error", reply)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)
