"""The published types of Slack as a judge: @slack/types, made a JSON Schema, held by ajv.

    from slack import types

    with types.Types() as t:
        faults = t.check_blocks(blocks) + t.check_view(view)

Types know shapes, and neither lengths nor surfaces (slack/blocks.py has those). Needs what
tests/npm/package.json names; types.missing() says why it cannot be used, or None.
"""

import json
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = os.path.join(os.environ["WINGMAN_SOURCE"], "build", "npm", "node_modules")
GENERATOR = os.path.join(MODULES, "ts-json-schema-generator", "bin",
                         "ts-json-schema-generator.js")


def missing():
    for path in (GENERATOR, os.path.join(MODULES, "@slack", "types"), os.path.join(MODULES, "ajv")):
        if not os.path.exists(path):
            return f"{os.path.basename(path)} is not installed: make build/npm/.done"
    return None


def _version():
    with open(os.path.join(MODULES, "@slack", "types", "package.json")) as f:
        return json.load(f)["version"]


def schema():
    """The file with the schema, made once for a version of the types."""
    path = os.path.join(os.environ["WINGMAN_BUILD"], f"slack-types-{_version()}.schema.json")
    if os.path.exists(path):
        return path
    with tempfile.TemporaryDirectory(dir=os.environ["WINGMAN_BUILD"]) as folder:
        os.symlink(MODULES, os.path.join(folder, "node_modules"))
        shutil.copy(os.path.join(HERE, "types.ts"), folder)
        with open(os.path.join(folder, "tsconfig.json"), "w") as f:
            json.dump({"compilerOptions": {"module": "nodenext", "moduleResolution": "nodenext",
                                           "strict": True, "skipLibCheck": True}}, f)
        made = os.path.join(folder, "made.json")
        subprocess.run(["node", GENERATOR, "--path", "types.ts", "--tsconfig", "tsconfig.json",
                        "--type", "Drawn", "--no-type-check", "-o", made],
                       cwd=folder, check=True, timeout=120, stdout=subprocess.DEVNULL)
        os.rename(made, path)
    return path


class Types:
    def __enter__(self):
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "types.mjs"), MODULES, schema()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()

    def _check(self, drawn):
        self.process.stdin.write(json.dumps(drawn) + "\n")
        self.process.stdin.flush()
        return [f"types: {fault}" for fault in json.loads(self.process.stdout.readline())]

    def check_blocks(self, blocks):
        return self._check({"blocks": blocks})

    def check_view(self, view):
        return self._check({"home" if view.get("type") == "home" else "modal": view})
