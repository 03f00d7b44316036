"""The files that a page of docs/ shows, each under a line '**its/path**'.

    extract.py PAGE PATH OUTPUT              the text of one of them
    extract.py PAGE --schemas EMBED CONFIG OUTPUT
                                             all below schemas/, compiled by embed.py
                                             beside the configuration's schema
"""

import os
import re
import subprocess
import sys
import tempfile

SHOWN = re.compile(r"^\*\*([\w./-]+)\*\*\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def shown(page):
    """{path: text}"""
    with open(page, encoding="utf-8") as f:
        return dict(SHOWN.findall(f.read()))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def embed(files, program, config, output):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            if path.startswith("schemas/"):
                write(os.path.join(folder, path), text)
        schemas = os.path.join(folder, "schemas")
        os.symlink(os.path.abspath(config), os.path.join(schemas, os.path.basename(config)))
        subprocess.run([sys.executable, program, schemas, output, os.path.join(folder, "d")],
                       check=True)


def main(page, what, *rest):
    files = shown(page)
    if what == "--schemas":
        embed(files, *rest)
    else:
        write(os.path.abspath(rest[0]), files[what])


if __name__ == "__main__":
    main(*sys.argv[1:])
