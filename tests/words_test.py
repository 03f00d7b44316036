"""What every installed program makes of its words: --help, --version, and whatever it does not know.

One exit status everywhere: 0 for what was asked for and said, 1 where it could not be written,
2 for wrong words, with a sentence that says what would be right.
"""

import os
import pathlib
import re
import subprocess
import tempfile

import tap

BUILD = pathlib.Path(os.environ["WINGMAN_BUILD"])
SETUP = BUILD / "deploy" / "wingman-setup"
PROGRAMS = sorted(p for p in (BUILD / "bin").iterdir() if p.is_file() and os.access(p, os.X_OK))
EXPECTED = {"playbooks-eval", "wingman", "wingman-accounts", "wingman-assistant", "wingman-egress",
            "wingman-gate", "wingman-people", "wingman-playbooks", "wingman-slack"}
folder = tempfile.TemporaryDirectory(prefix="wm-words-")


def run(program, *words, **more):
    env = {"PATH": "/usr/sbin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": folder.name,
           **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
    words = ["/bin/sh", program, *words] if program == SETUP else [program, *words]
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=not more,
                          text=True, timeout=60, env=env, start_new_session=True, check=False, **more)


def wrong(program, words, says):
    """Status 2, nothing on stdout, and on stderr the program's name, the word and what to do."""
    r = run(program, *words)
    name = os.path.basename(program)
    tap.ok(f"{name} {' '.join(words)!r}: status 2 and why", r.returncode == 2 and r.stdout == ""
           and r.stderr.startswith(f"{name}: ") and re.search(says, r.stderr),
           (r.returncode, r.stdout, r.stderr))


def test_all_are_there():
    tap.equal("these are the programs", {p.name for p in PROGRAMS} | EXPECTED, EXPECTED)
    tap.ok("none is missing", EXPECTED - {p.name for p in PROGRAMS} == set(), PROGRAMS)


def test_every_program():
    version = run(BUILD / "bin" / "wingman", "--version").stdout.split()[-1]
    for program in [*PROGRAMS, SETUP]:
        r = run(program, "--version")
        tap.equal(f"{program.name} --version", (r.returncode, r.stdout, r.stderr),
                  (0, f"{program.name} {version}\n", ""))
        r = run(program, "--help")
        tap.ok(f"{program.name} --help", r.returncode == 0 and program.name in r.stdout.splitlines()[0]
               and r.stderr == "", (r.returncode, r.stdout, r.stderr))
        wrong(program, ["--nonsense"], "--nonsense")


def test_programs_of_options():
    for program in PROGRAMS:
        if program.name == "wingman":
            continue
        r = run(program, "-h")
        tap.ok(f"{program.name} -h", r.returncode == 0 and "--version" in r.stdout, r.stdout)
        wrong(program, ["-Q"], r"unknown option '-Q'; '\S+ --help'")
        wrong(program, ["--nonsense"], r"; '\S+ --help' lists")
        wrong(program, ["--help=1"], r"--help")
        wrong(program, ["a", "b", "c"], r"'[ac]' is one argument too many")
        with open("/dev/full", "w", encoding="utf-8") as full:
            for word in ("--help", "--version"):
                r = run(program, word, stdout=full, stderr=subprocess.DEVNULL)
                tap.equal(f"{program.name} {word} that nobody got", r.returncode, 1)
        if program.name in ("playbooks-eval", "wingman-assistant"):
            continue
        wrong(program, ["--dri", "/tmp"], r"did you mean '--dir'\?")
        wrong(program, ["--dir"], r"--dir wants a value \(DIR\)")
        wrong(program, ["--dir", ""], r"folder is empty")
        wrong(program, ["--check-config=yes"], r"--check-config takes no value")


def test_odd_ones():
    programs = BUILD / "bin"
    wrong(programs / "wingman-gate", ["--role", "king"], "'caller'")
    wrong(programs / "wingman-slack", ["--name", "../x"], "a to z")
    wrong(programs / "wingman-slack", ["--name", "a" * 33], "a to z")
    wrong(programs / "playbooks-eval", ["one"], "CORPUS QUERIES")
    wrong(programs / "playbooks-eval", [], "CORPUS QUERIES")


def test_commands():
    """Each command of wingman, before anything is there."""
    wingman = BUILD / "bin" / "wingman"
    lines = run(wingman, "--help").stdout.split("commands:\n")[1].split("\n\n")[0].splitlines()
    commands = [line.split()[0] for line in lines]
    tap.ok("--help lists the commands", len(commands) >= 20, commands)
    for command in commands:
        for words in ([command, "--help"], [command, "-h"], ["--help", command]):
            r = run(wingman, *words)
            tap.ok(f"wingman {' '.join(words)}", r.returncode == 0 and r.stderr == ""
                   and r.stdout.startswith(f"usage: wingman {command}" if words[0] == command
                                           else "usage: wingman"), (r.returncode, r.stdout, r.stderr))
        wrong(wingman, ["--dir", folder.name, command, "--nonsense"], r"\bhint: usage: wingman " + command)
        wrong(wingman, ["--dir", folder.name, command, "a", "b", "c", "d"],
              r"\bhint: usage: wingman " + command) if command not in ("call", "chat") else None
    for words, says in ((["--dir"], "--dir wants"), (["--dir", "", "status"], "folder is empty"),
                        (["tols"], "did you mean 'tools'"), (["--jsn", "status"], "--jsn"),
                        (["no-such-thing-at-all"], "'wingman --help' lists")):
        wrong(wingman, words, says)


if __name__ == "__main__":
    tap.run([test_all_are_there, test_every_program, test_programs_of_options, test_odd_ones,
             test_commands])
    folder.cleanup()
    tap.done()
