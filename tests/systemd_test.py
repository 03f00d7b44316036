"""The house under systemd: each program with a user of its own, and nothing in its reach that it
does not need.

Looks at the units as systemd-analyze sees them, and then boots a real systemd, in namespaces
of its own over a copy of this machine that is thrown away: installs, sets up, and has
systemd_house.py play the operator in there. Needs root and a kernel that lets us.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import tap

SOURCE = pathlib.Path(os.environ["WINGMAN_SOURCE"])
BUILD = pathlib.Path(os.environ["WINGMAN_BUILD"])
PREFIX = "usr/local"
EXPOSURE_MAX = 15  # tenths, of 100; systemd calls up to 20 'OK'
BOOT_S = 240
PROGRAM_UNITS = ["wingman-gate.service", "wingman-caller@.service", "wingman-server@.service",
                 "wingman-slack.service", "wingman-worker@.service", "wingman-egress@.service"]
SERVERS = ["accounts", "people", "playbooks"]

stage = None


def run(*words, **more):
    return subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def test_install():
    """Programs, schemas, units, samples, manifests and pages, where they belong."""
    done = run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", stage)
    tap.equal("make install ends well", (done.returncode, done.stdout[-500:]), (0, ""))
    for name in ["bin/wingman", "bin/wingman-gate", "sbin/wingman-setup",
                 "share/wingman/schemas/config.schema.json", "share/wingman/config/gate.yaml",
                 "share/wingman/slack/manifest.yaml", "share/wingman/sample/people.ldif",
                 "share/doc/wingman/operators.md", "lib/sysusers.d/wingman.conf",
                 "lib/tmpfiles.d/wingman.conf", "lib/systemd/system/wingman.target"]:
        tap.ok(f"{name} is installed", (stage / PREFIX / name).is_file())
    source = sorted(p.name for p in (SOURCE / "deploy/systemd").glob("wingman*.[st]*[et]"))
    units = sorted(p.name for p in (stage / PREFIX / "lib/systemd/system").iterdir())
    tap.equal("every unit is installed", units, source)
    left = [p for p in (stage / PREFIX).rglob("*") if p.is_file() and p.suffix in
            (".service", ".socket", ".target", ".conf") and "@bindir@" in p.read_text()]
    tap.equal("no place is left unfilled", left, [])


def unit_folder():
    """A copy of the units that names programs where they really are, for systemd-analyze."""
    folder = stage / "analyzed"
    folder.mkdir()
    for unit in (stage / PREFIX / "lib/systemd/system").iterdir():
        text = unit.read_text().replace(f"/{PREFIX}/bin/", f"{stage}/{PREFIX}/bin/")
        (folder / unit.name).write_text(text)
    return folder


def test_units():
    folder = unit_folder()
    names = [n for n in os.listdir(folder) if "@" not in n]
    names += [f"wingman-server@{s}.service" for s in SERVERS]
    names += [f"wingman-{n}@.service" for n in ("caller", "worker", "egress")]
    for name in sorted(names):
        done = run("systemd-analyze", "verify", "--man=no", f"./{name}", cwd=folder)
        tap.equal(f"{name} is a good unit", (done.returncode, done.stdout), (0, ""))
    for name in PROGRAM_UNITS:
        done = run("systemd-analyze", "security", "--no-pager", "--offline=true",
                   f"--threshold={EXPOSURE_MAX}", f"./{name}", cwd=folder)
        last = done.stdout.strip().splitlines()[-1:]
        tap.ok(f"{name} is closed enough", done.returncode == 0, last)


def values(unit, key):
    """All values of a key of an installed unit, in order."""
    text = (stage / PREFIX / "lib/systemd/system" / unit).read_text()
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def test_users():
    """What units, sysusers and tmpfiles say of users agrees."""
    root = stage / "root"
    (root / "etc").mkdir(parents=True)
    conf = (stage / PREFIX / "lib/sysusers.d/wingman.conf").resolve()
    done = run("systemd-sysusers", f"--root={root}", conf)
    tap.equal("sysusers takes them", done.returncode, 0)
    users = {line.split(":")[0] for line in (root / "etc/passwd").read_text().splitlines()}
    groups = {line.split(":")[0]: line.rpartition(":")[2].split(",")
              for line in (root / "etc/group").read_text().splitlines()}
    meant = set()
    for unit in PROGRAM_UNITS:
        names = values(unit, "User")
        tap.equal(f"{unit} has one user", len(names), 1)
        for server in SERVERS if "%i" in names[0] else [""]:
            meant.add(names[0].replace("%i", server))
    tap.equal("each of which is made", meant, {u for u in users if u.startswith("wingman")})
    tap.equal("only Slack's process is a surface", groups["wingman-surface"], ["wingman-slack"])
    tap.ok("a conversation's worker reads no configuration", "wingman-worker" not in groups["wingman"])
    named = set()
    for line in (stage / PREFIX / "lib/tmpfiles.d/wingman.conf").read_text().splitlines():
        if line and not line.startswith("#"):
            named |= {w for w in line.split()[3:5] if w != "-"}
    tap.equal("tmpfiles names no others", named - users - set(groups) - {"root"}, set())
    conf = stage / PREFIX / "lib/tmpfiles.d/wingman.conf"
    done = run("systemd-tmpfiles", f"--root={root}", "--create", conf.resolve())
    tap.equal("tmpfiles takes them", (done.returncode, done.stdout), (0, ""))


def test_reach():
    """Who has a network, and which sockets are whose."""
    for unit in ("wingman-gate.service", "wingman-worker@.service"):
        tap.equal(f"{unit} has no network", values(unit, "PrivateNetwork"), ["yes"])
    tap.equal("the keeper speaks to this machine alone",
              values("wingman-gate.service", "RestrictAddressFamilies"), ["AF_UNIX"])
    tap.equal("a worker makes no socket",
              values("wingman-worker@.service", "RestrictAddressFamilies"), ["none"])
    for socket, owner in (("gate", "root:wingman-surface 0660"), ("caller", "wingman-gate:root 0600"),
                          ("worker", "wingman-slack:root 0600"), ("egress", "wingman-slack:root 0600")):
        unit = f"wingman-{socket}.socket"
        got = "{}:{} {}".format(*(values(unit, k)[0] for k in
                                  ("SocketUser", "SocketGroup", "SocketMode")))
        tap.equal(f"who may connect to {socket}.sock", got, owner)


def test_samples():
    """The sample configuration names what units and folders provide."""
    configs = stage / PREFIX / "share/wingman/config"
    folders = (stage / PREFIX / "lib/tmpfiles.d/wingman.conf").read_text()
    for path in sorted(configs.iterdir()):
        name = path.stem
        holder = "egress" if name == "assistant" else name
        secrets = re.findall(r"credential:(\w+)", path.read_text())
        tap.ok(f"{name}.yaml names secrets as its unit passes them",
               all(s.startswith("own_") for s in secrets))
        tap.ok(f"{name}.yaml has a folder for them",
               not secrets or f"/etc/wingman/credentials/{holder} " in folders)
    for name in ("accounts", "people", "playbooks"):
        folder = stage / "judged" / name
        (folder / "config").mkdir(parents=True)
        shutil.copy(configs / f"{name}.yaml", folder / "config")
        done = run(stage / PREFIX / "bin" / f"wingman-{name}", "--dir", folder, "--check-config")
        tap.equal(f"{name}.yaml is good", done.returncode, 0)
    folder = stage / "judged" / "gate"
    shutil.copytree(configs, folder / "config")
    done = run(stage / PREFIX / "bin/wingman-gate", "--dir", folder, "--check-config")
    errors = [line for line in done.stdout.splitlines() if json.loads(line)["level"] == "error"]
    tap.equal("gate.yaml and policy.yaml are good", (done.returncode, errors), (0, []))


# --- a real systemd ----------------------------------------------------------------

DRIVE_SERVICE = """[Unit]
DefaultDependencies=no
Requires=basic.target
After=basic.target
[Service]
Type=oneshot
Environment=WINGMAN_SOURCE=/wm/source PYTHONPATH=/wm/source/tests PYTHONDONTWRITEBYTECODE=1
ExecStart=/bin/sh -c 'exec /usr/bin/python3 /wm/source/tests/systemd_house.py >/wm/out/tap 2>&1'
ExecStopPost=/bin/systemctl --no-block poweroff
"""

# The machine itself is what the copy is laid over; a bind mount, because nspawn refuses '/'.
BOOT = """
mount --make-rprivate /
mount --bind / "$1/machine" && mount --bind "$2" "$1/source" && mount --bind "$3" "$1/stage" || exit 90
exec timeout -k 10 %d systemd-nspawn --quiet --register=no --keep-unit --resolv-conf=off --timezone=off \\
	--link-journal=no --machine="wingman-test-$$" --directory="$1/machine" --volatile=overlay --private-network \\
	--bind-ro="$1/source:/wm/source" --bind-ro="$1/stage:/wm/stage" --bind="$1/out:/wm/out" \\
	--bind-ro="$1/wm-drive.service:/etc/systemd/system/wm-drive.service" \\
	--system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" \\
	--console=pipe --boot systemd.unit=wm-drive.service
""" % BOOT_S


def test_boot():
    """What systemd_house.py says in there, as results of ours."""
    why = None
    if os.geteuid() != 0:
        why = "only root may boot a systemd of its own"
    elif not shutil.which("systemd-nspawn"):
        tap.ok("systemd-container is installed", False)
        return
    elif not os.path.isdir("/sys/fs/cgroup/systemd") and not os.path.exists("/sys/fs/cgroup/cgroup.procs"):
        why = "this machine shows no control groups"
    if why:
        tap.skip("a house under a real systemd", why)
        return
    with tempfile.TemporaryDirectory(prefix="wingman-boot-", dir=BUILD) as name:
        folder = pathlib.Path(name)
        for sub in ("machine", "source", "stage", "out"):
            (folder / sub).mkdir()
        (folder / "wm-drive.service").write_text(DRIVE_SERVICE)
        probe = run("unshare", "--mount", "sh", "-c", "mount --make-rprivate / && "
                    "mkdir -p $0/u $0/w && mount -t tmpfs t $0/out && mkdir $0/out/u $0/out/w && "
                    "mount -t overlay -o lowerdir=/etc,upperdir=$0/out/u,workdir=$0/out/w o $0/machine", folder)
        if probe.returncode != 0:
            tap.skip("a house under a real systemd", "no overlays here: " + probe.stdout[-200:])
            return
        done = run("unshare", "--mount", "sh", "-c", BOOT, "boot", folder, SOURCE, stage)
        report = folder / "out/tap"
        lines = report.read_text().splitlines() if report.exists() else []
    tap.ok("a real systemd boots, and powers off", done.returncode == 0 and lines,
           done.stdout[-2000:])
    results = [re.match(r"(not )?ok \d+ - (.*)", line) for line in lines]
    for line, result in zip(lines, results):
        if result:
            tap.ok("house: " + result.group(2), not result.group(1))
        else:
            tap.note(line)
    count = sum(1 for r in results if r)
    tap.ok("all that was played is told", count > 0 and f"1..{count}" in lines)


def main():
    global stage
    with tempfile.TemporaryDirectory(prefix="wingman-stage-", dir=BUILD) as name:
        stage = pathlib.Path(name)
        os.chmod(stage, 0o755)
        tap.run([test_install, test_units, test_users, test_reach, test_samples, test_boot])
    tap.done()


if __name__ == "__main__":
    sys.exit(main())
