#!/usr/bin/env python3
"""Check the schema files and write them as a C table.

    embed.py [--any] [--prove PROGRAM] FOLDER OUTPUT.c DEPFILE
    embed.py --check FOLDER

A tool's file is {name, title, description, inputSchema, outputSchema, annotations,
_meta}. Its outputSchema is the success alone; what is embedded allows a failure too,
because some clients validate results even when they are errors. Whatever is wrong is
told with its file, all at once, and the build stops.

--any asks for no more than the protocol does, and no outputSchema: tools as others
would have them, for tests. --prove has every schema compiled by that program, which is
common/wire/schema_prove.c; the programs themselves then do without at their start.
"""

import json
import os
import re
import subprocess
import sys

# The codes of struct error (common/base/error.h); schemas-test.c keeps the two equal.
ERROR_CODES = [
    "invalid_argument", "not_found", "ambiguous", "permission_denied", "protected",
    "conflict", "precondition_failed", "rate_limited", "backend_unavailable", "timeout",
    "approval_required", "approval_invalid", "unknown_outcome", "internal",
]

FAILURE = {
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "enum": ERROR_CODES},
                "message": {"type": "string"},
                "hint": {"type": "string"},
                "retryable": {"type": "boolean"},
                "details": {"type": "object"},
            },
            "required": ["code", "message", "retryable"],
            "additionalProperties": False,
        }
    },
}

TOOL_MEMBERS = {"name", "title", "description", "inputSchema", "outputSchema",
                "annotations", "_meta"}
HINTS = {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
RISKS = {"read", "write", "destructive"}
RISK = "org.wingman/risk"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TOOL_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
SERVER_NAME = re.compile(r"[a-z][a-z0-9]*")


class Fault(Exception):
    pass


def _pairs(pairs):
    members = {}
    for key, value in pairs:
        if key in members:
            raise Fault(f"member '{key}' stands twice in one object")
        members[key] = value
    return members


def _constant(text):
    raise Fault(f"{text} is no JSON number")


def read_json(path):
    try:
        with open(path, "rb") as f:
            text = f.read().decode("utf-8")
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate has no UTF-8
    except UnicodeError:
        raise Fault("is not UTF-8")
    except json.JSONDecodeError as e:
        raise Fault(f"line {e.lineno}, column {e.colno}: {e.msg}")
    if not isinstance(value, dict):
        raise Fault("is not an object")
    return value


def _references(schema):
    """Every $ref and $dynamicRef below 'schema'."""
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _references(value)


def check_schema(what, schema):
    """What both schemas of a tool must have: an object, and nothing from elsewhere."""
    if not isinstance(schema, dict):
        return [f"{what} is not an object"]
    faults = []
    if schema.get("type") != "object":
        faults.append(f"{what} lacks \"type\": \"object\"")
    if "$id" in schema:
        faults.append(f"{what} has an $id; it would move what its $refs mean")
    if schema.get("$schema", DIALECT) != DIALECT:
        faults.append(f"{what} has another $schema than {DIALECT}")
    for ref in _references(schema):
        if not ref.startswith("#/$defs/"):
            faults.append(f"{what} refers to '{ref}', which is not below #/$defs/")
        elif ref.split("/")[2] not in schema.get("$defs", {}):
            faults.append(f"{what} refers to '{ref}', which does not exist")
    return faults


def check_input(schema):
    faults = check_schema("inputSchema", schema)
    if not isinstance(schema, dict):
        return faults
    if schema.get("additionalProperties") is not False:
        faults.append("inputSchema lacks \"additionalProperties\": false")
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in properties:
            faults.append(f"inputSchema requires '{name}', which is no property")
    for name, field in properties.items():
        if isinstance(field, dict) and "$ref" not in field and not field.get("description"):
            faults.append(f"inputSchema: '{name}' has no description (forms show it)")
    return faults


def check_risk(annotations, meta):
    faults = []
    if not isinstance(annotations, dict) or set(annotations) != HINTS or \
            not all(isinstance(v, bool) for v in annotations.values()):
        faults.append("annotations must be these four booleans: " + ", ".join(sorted(HINTS)))
        annotations = None
    risk = meta.get(RISK) if isinstance(meta, dict) else None
    if risk not in RISKS:
        faults.append(f"_meta[\"{RISK}\"] must be read, write or destructive")
    elif annotations:
        if annotations["readOnlyHint"] != (risk == "read"):
            faults.append(f"readOnlyHint contradicts the risk '{risk}'")
        if annotations["destructiveHint"] != (risk == "destructive"):
            faults.append(f"destructiveHint contradicts the risk '{risk}'")
    return faults


def check_tool(stem, tool):
    faults = [f"lacks '{m}'" for m in sorted(TOOL_MEMBERS - set(tool))]
    faults += [f"has an unknown member '{m}'" for m in sorted(set(tool) - TOOL_MEMBERS)]
    if faults:
        return faults
    if tool["name"] != stem:
        faults.append(f"name is '{tool['name']}', the file's is '{stem}'")
    if not TOOL_NAME.fullmatch(stem):
        faults.append("a tool's name is verb_noun in snake_case")
    for member in ("title", "description"):
        if not isinstance(tool[member], str) or not tool[member].strip():
            faults.append(f"'{member}' is empty")
    faults += check_input(tool["inputSchema"])
    faults += check_schema("outputSchema", tool["outputSchema"])
    faults += check_risk(tool["annotations"], tool["_meta"])
    return faults


def check_any_tool(stem, tool):
    """What the protocol and our servers cannot do without."""
    faults = [f"lacks '{m}'" for m in ("_meta", "description", "inputSchema") if m not in tool]
    faults += [f"has an unknown member '{m}'" for m in sorted(set(tool) - TOOL_MEMBERS)]
    if tool.get("name") != stem:
        faults.append(f"name is '{tool.get('name')}', the file's is '{stem}'")
    for member in {"inputSchema", "outputSchema"} & set(tool):
        faults += check_schema(member, tool[member])
    if not faults and tool["_meta"].get(RISK) not in RISKS:
        faults.append(f"_meta[\"{RISK}\"] must be read, write or destructive")
    return faults


def with_failure(success):
    """The success schema, or an error. $schema and $defs stay where '#/$defs/' finds them."""
    wrapped = {k: success[k] for k in ("$schema",) if k in success}
    wrapped["type"] = "object"
    wrapped["anyOf"] = [
        {k: v for k, v in success.items() if k not in ("$schema", "$defs")},
        FAILURE,
    ]
    if "$defs" in success:
        wrapped["$defs"] = success["$defs"]
    return wrapped


def convert(path, value, check=check_tool):
    """The value to embed for 'path' (relative), or Fault."""
    server, _, name = path.rpartition("/")
    if not server:
        if value.get("$schema") != DIALECT:
            raise Fault(f"$schema is not {DIALECT}")
        return value
    if name == "server.json":
        return value
    faults = check(name[:-len(".json")], value)
    if faults:
        raise Fault("\n".join(faults))
    if "outputSchema" not in value:
        return value
    return {**value, "outputSchema": with_failure(value["outputSchema"])}


def led_to(document, name):
    """'document', asked for its definition 'name', with what that needs and no more."""
    defs, kept = document["$defs"], {}

    def keep(value):
        for ref in _references(value):
            found = ref.split("/")[2] if ref.startswith("#/$defs/") else None
            if found in defs and found not in kept:
                kept[found] = defs[found]
                keep(defs[found])

    led = {k: v for k, v in document.items() if k != "$defs"} | {"$ref": "#/$defs/" + name}
    keep(led)
    return {**led, "$defs": kept}


def configurations(entries):
    """The part of config.schema.json for each server that has one, and for any other:
    most of it is for other programs, and a server reads its part at each start."""
    document = dict(entries).get("config.schema.json", {})
    servers = {path.split("/")[0] for path, _ in entries if "/" in path} | {"server"}
    return [(f"config.schema.json#{name}", led_to(document, name))
            for name in sorted(servers & set(document.get("$defs", {})))]


def find(folder):
    """(files to embed, folders looked at); a folder's server.json after its tools."""
    files = [n for n in sorted(os.listdir(folder)) if n.endswith(".schema.json")]
    servers = [n for n in sorted(os.listdir(folder))
               if SERVER_NAME.fullmatch(n) and os.path.isdir(os.path.join(folder, n))]
    for server in servers:
        names = [n for n in os.listdir(os.path.join(folder, server)) if n.endswith(".json")]
        names.sort(key=lambda n: (n == "server.json", n))
        files += [f"{server}/{n}" for n in names]
    return files, [folder] + [os.path.join(folder, s) for s in servers]


def c_string(text, indent):
    """'text' as C string literals of about 80 columns, only ASCII in them."""
    pieces, line = [], ""
    for byte in text.encode("utf-8"):
        c = chr(byte)
        if c in "\"\\?":  # '?' because of trigraphs
            c = "\\" + c
        elif not 0x20 <= byte < 0x7F:
            c = f"\\{byte:03o}"
        line += c
        if len(line) >= 76:
            pieces.append(line)
            line = ""
    if line or not pieces:
        pieces.append(line)
    return "\n".join(f"{indent}\"{p}\"" for p in pieces)


def schemas_of(path, value):
    """(what it is called, the schema, whether formats decide) of each schema in a file."""
    server, _, name = path.rpartition("/")
    if not server:
        return [("the schema", value, True)]
    if name == "server.json":
        return []
    return [(what, value[what], what == "inputSchema")
            for what in ("inputSchema", "outputSchema") if what in value]


def prove(program, entries):
    """({path: whether all of it is ready for use}, complaints)."""
    asked = [(path, *schema) for path, value in entries for schema in schemas_of(path, value)]
    lines = "".join(json.dumps({"schema": schema, "asserts_format": asserts}) + "\n"
                    for _, _, schema, asserts in asked)
    run = subprocess.run([program], input=lines, stdout=subprocess.PIPE, text=True,
                         encoding="utf-8", check=True)
    answers = run.stdout.splitlines()
    if len(answers) != len(asked):
        sys.exit(f"{program}: {len(answers)} answers to {len(asked)} schemas")
    ready, complaints = {path: True for path, _ in entries}, []
    for (path, what, _, _), answer in zip(asked, answers):
        if answer not in ("ready", "sound"):
            complaints.append(f"{path}: {what}: {answer}")
        ready[path] = ready[path] and answer == "ready"
    return ready, complaints


def table(entries, ready=None):
    """The C text; 'ready' is what prove said, None where nobody asked."""
    out = ["/* Written by embed.py. Edit the files in schemas/ instead. */",
           "#include \"schemas/embedded.h\"", "",
           "const struct schema_file schemas_embedded[] = {"]
    for path, value in entries:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        out += ["\t{", f"\t\t.path = \"{path}\",", "\t\t.text =",
                c_string(text, "\t\t\t") + ",",
                f"\t\t.length = {len(text.encode('utf-8'))},"]
        if ready is not None:
            out += ["\t\t.is_proven = true,",
                    f"\t\t.is_ready = {'true' if ready[path] else 'false'},"]
        out.append("\t},")
    # C has no empty arrays; the count leaves the last row out.
    out += ["\t{ .path = \"\" },", "};", "",
            f"const size_t schemas_embedded_count = {len(entries)};", ""]
    return "\n".join(out)


def load(folder, check=check_tool):
    """((path, value) of every file, complaints)."""
    entries, complaints = [], []
    for path in find(folder)[0]:
        try:
            entries.append((path, convert(path, read_json(os.path.join(folder, path)), check)))
        except Fault as fault:
            complaints += [f"{folder}/{path}: {line}" for line in str(fault).splitlines()]
    return entries + configurations(entries), complaints


def write_depfile(depfile, output, folder):
    # The folders too: a file that comes or goes changes its folder.
    files, folders = find(folder)
    names = folders + [os.path.join(folder, f) for f in files]
    with open(depfile, "w", encoding="utf-8") as f:
        f.write(output + ": " + " ".join(n.replace(" ", "\\ ") for n in names) + "\n")


def main(args):
    check, prover, ready = check_tool, None, None
    if args[:1] == ["--any"]:
        check = check_any_tool
        args = args[1:]
    if args[:1] == ["--prove"] and len(args) > 1:
        prover = args[1]
        args = args[2:]
    check_only = len(args) == 2 and args[0] == "--check"
    if not check_only and len(args) != 3:
        sys.exit(__doc__)
    folder = args[1] if check_only else args[0]
    entries, complaints = load(folder, check)
    if prover and not complaints:
        ready, complaints = prove(prover, entries)
        complaints = [f"{folder}/{line}" for line in complaints]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if complaints:
        sys.exit(1)
    if not check_only:
        with open(args[1], "w", encoding="ascii") as f:
            f.write(table(entries, ready))
        write_depfile(args[2], args[1], folder)


if __name__ == "__main__":
    main(sys.argv[1:])
