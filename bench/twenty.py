"""Embed schemas/ with nineteen more tools like echo_text: twenty.py EMBED PROVE OUTPUT.c DEPFILE

A server of one tool says little of one that is used; peers get as many.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemas")


def main(embed, prove, output, depfile):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(SCHEMAS, os.path.join(folder, "schemas"))
        tools = os.path.join(folder, "schemas", "bench")
        with open(os.path.join(tools, "echo_text.json"), encoding="utf-8") as f:
            tool = json.load(f)
        for number in range(1, 20):
            name = f"tool_{number:02}"
            with open(os.path.join(tools, name + ".json"), "w", encoding="utf-8") as f:
                json.dump({**tool, "name": name, "title": f"Echo {number}"}, f)
        subprocess.run([sys.executable, embed, "--any", "--prove", prove,
                        os.path.join(folder, "schemas"), output, depfile], check=True)
    # What was embedded is gone; what it was made of is not.
    with open(depfile, "w", encoding="utf-8") as f:
        names = [os.path.join(path, n) for path, _, files in os.walk(SCHEMAS) for n in files]
        f.write(f"{output}: {' '.join(sorted(names))}\n")


main(*sys.argv[1:])
