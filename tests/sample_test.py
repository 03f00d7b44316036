"""The sample directory: consistent in itself, loadable, and as tight as it says."""

import base64
import subprocess

import slapd
import tap


def entries(name):
    """The entries of a sample file, each a dict of lists."""
    result = []
    text = (slapd.SOURCE / "deploy/sample" / name).read_text()
    for block in text.split("\n\n"):
        entry = {}
        for line in block.splitlines():
            if not line or line.startswith("#"):
                continue
            key, _, value = line.partition(":")
            if value.startswith(":"):
                value = base64.b64decode(value[1:]).decode()
            entry.setdefault(key, []).append(value.strip())
        if entry:
            result.append(entry)
    return result


def test_memberships():
    said, listed = set(), set()
    for entry in entries("people.ldif"):
        said |= {(entry["dn"][0], group) for group in entry.get("memberOf", [])}
    for entry in entries("groups.ldif"):
        listed |= {(member, entry["dn"][0]) for member in entry["member"]}
    tap.equal("memberOf in people.ldif is what groups.ldif lists", said, listed)


def test_passwords():
    people = [e for e in entries("people.ldif") if "inetOrgPerson" in e["objectClass"]]
    tap.ok("at least 14 people", len(people) >= 14)
    tap.equal("every password is pw-<uid>", [e["userPassword"][0] for e in people],
              ["pw-" + e["uid"][0] for e in people])
    tap.equal("every mail is of example.test", [e["mail"][0] for e in people],
              [e["uid"][0] + "@example.test" for e in people])


def as_service(directory, program, *args, text=""):
    done = subprocess.run([program, "-x", "-H", directory.uri, "-D", slapd.SERVICE_DN,
                           "-y", directory.folder / "password", *args],
                          input=text.encode(), capture_output=True)
    return done.returncode, done.stdout.decode()


def change(dn, attribute, value):
    return (f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")


LOCKED = "000001010000Z"
JOHN = slapd.person_dn("john.doe")
GLASS = f"uid=breakglass-1,ou=breakglass,{slapd.SUFFIX}"


def test_access():
    with slapd.Slapd() as d:
        tap.ok("John can bind", d.can_bind(JOHN, "pw-john.doe"))
        code, out = as_service(d, "ldapsearch", "-LLL", "-b", slapd.SUFFIX, "(uid=*)",
                               "userPassword", "pwdHistory")
        tap.ok("the service account sees everybody and no password",
               code == 0 and out.count("dn:") >= 16 and "userPassword" not in out)
        code, out = as_service(d, "ldapsearch", "-LLL", "-b", slapd.SUFFIX,
                               f"(memberOf=cn=security-team,ou=groups,{slapd.SUFFIX})", "1.1")
        tap.ok("memberOf is loaded", code == 0 and out.count("dn:") == 3)
        modify = lambda text: as_service(d, "ldapmodify", text=text)[0]
        tap.equal("it locks", modify(change(JOHN, "pwdAccountLockedTime", LOCKED)), 0)
        tap.ok("a locked person cannot bind", not d.can_bind(JOHN, "pw-john.doe"))
        tap.equal("not break-glass", modify(change(GLASS, "pwdAccountLockedTime", LOCKED)), 50)
        tap.equal("not itself", modify(change(slapd.SERVICE_DN, "pwdAccountLockedTime",
                                              LOCKED)), 50)
        tap.equal("no password", modify(change(JOHN, "userPassword", "x")), 50)
        tap.equal("no name", modify(change(JOHN, "displayName", "x")), 50)
        done = subprocess.run(["ldapsearch", "-x", "-H", d.uri, "-b", slapd.SUFFIX],
                              capture_output=True)
        tap.ok("nobody looks around without a name", done.returncode != 0)


if __name__ == "__main__":
    tests = [test_memberships, test_passwords]
    if slapd.missing():
        tap.skip("a private slapd", slapd.missing())
    else:
        tests.append(test_access)
    tap.run(tests)
    tap.done()
