"""embed.py refuses what is wrong, says where, and wraps what is right."""

import json
import os
import subprocess
import sys
import tempfile

import tap

EMBED = os.path.join(os.environ["WINGMAN_SOURCE"], "schemas", "embed.py")


def tool(**changes):
    value = {
        "name": "block_thing",
        "title": "Block a thing",
        "description": "Blocks it.",
        "inputSchema": {
            "type": "object",
            "properties": {"thing": {"type": "string", "description": "Which."}},
            "required": ["thing"],
            "additionalProperties": False,
        },
        "outputSchema": {
            "type": "object",
            "properties": {"after": {"$ref": "#/$defs/state"}},
            "$defs": {"state": {"type": "string"}},
        },
        "annotations": {"readOnlyHint": False, "destructiveHint": True,
                        "idempotentHint": True, "openWorldHint": False},
        "_meta": {"org.wingman/risk": "destructive"},
    }
    value.update(changes)
    return value


def embed(files, *options):
    """Run embed.py over {path: text or value}; (status, complaints, C text, depfile)."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files.items():
            path = os.path.join(folder, "in", path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                if isinstance(content, bytes):
                    f.write(content)
                else:
                    f.write(json.dumps(content).encode())
        out, dep = os.path.join(folder, "out.c"), os.path.join(folder, "out.d")
        p = subprocess.run([sys.executable, EMBED, *options, os.path.join(folder, "in"), out, dep],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        texts = []
        for name in (out, dep):
            texts.append(open(name).read() if os.path.exists(name) else None)
        return p.returncode, p.stderr, *texts


PROVE = os.path.join(os.environ["WINGMAN_BUILD"], "common", "wire", "schema-prove")


def refused(name, content, *words, path="things/block_thing.json"):
    status, complaints, c, _ = embed({path: content})
    tap.ok(f"refused: {name}",
           status == 1 and c is None and path in complaints and
           all(w in complaints for w in words),
           f"status {status}, complaints:\n{complaints}")


def test_good():
    status, complaints, c, dep = embed({
        "things/block_thing.json": tool(description="What?? \"Größe\" \\ \t end"),
        "things/server.json": {"instructions": "x"},
        "config.schema.json": {"$schema": "https://json-schema.org/draft/2020-12/schema"},
        "things/notes.txt": b"no schema",
    })
    if not tap.ok("a good folder is embedded", status == 0 and c, complaints):
        return
    tap.ok("only ASCII, no trigraph", c.isascii() and "??" not in c)
    tap.ok("three files, server.json behind the tools",
           "count = 3;" in c and c.index("block_thing.json") < c.index("server.json"), c)
    tap.ok("depfile names files and folders", all(
        w in dep for w in ("/in ", "/in/things ", "block_thing.json", "server.json",
                           "config.schema.json")) and "notes" not in dep, dep)


def test_wrapping():
    sys.path.insert(0, os.path.dirname(EMBED))
    import embed as module
    wrapped = module.convert("things/block_thing.json", tool())["outputSchema"]
    tap.equal("type object outside", wrapped["type"], "object")
    tap.equal("success first", wrapped["anyOf"][0],
              {"type": "object", "properties": {"after": {"$ref": "#/$defs/state"}}})
    tap.equal("failure second", wrapped["anyOf"][1]["required"], ["error"])
    tap.equal("$defs are hoisted", wrapped["$defs"], {"state": {"type": "string"}})
    tap.equal("the rest is as it was",
              {k: v for k, v in module.convert("things/block_thing.json", tool()).items()
               if k != "outputSchema"},
              {k: v for k, v in tool().items() if k != "outputSchema"})


def test_any():
    plain = {"name": "greet", "description": "Greets.", "inputSchema": {"type": "object"},
             "_meta": {"org.wingman/risk": "read"}}
    status, complaints, c, _ = embed({"things/greet.json": plain}, "--any")
    tap.ok("--any: a tool as others have it", status == 0 and "greet.json" in c and
           "outputSchema" not in c, complaints)
    tap.ok("refused without --any", embed({"things/greet.json": plain})[0] == 1)
    for name, change in (("no description", {"description": None}), ("no risk", {"_meta": {}}),
                         ("another name", {"name": "meet"}), ("an odd member", {"x": 1}),
                         ("no object", {"inputSchema": {"type": "string"}})):
        value = {k: v for k, v in {**plain, **change}.items() if v is not None}
        status, complaints, c, _ = embed({"things/greet.json": value}, "--any")
        tap.ok(f"--any refuses: {name}", status == 1 and c is None and "greet.json" in complaints,
               complaints)


def test_prove():
    """What the metaschema or the compiler refuses, the build does; the rest is marked."""
    def proved(**changes):
        return embed({"things/block_thing.json": tool(**changes)}, "--prove", PROVE)

    def field(**rules):
        return changed(["inputSchema", "properties", "thing"], {"description": "Which.", **rules})

    status, complaints, c, _ = proved()
    tap.ok("proven and ready", status == 0 and ".is_proven = true" in c and
           ".is_ready = true" in c, complaints)
    tap.ok("not proven where nobody asked", "is_proven" not in embed(
        {"things/block_thing.json": tool()})[2])
    _, complaints, c, _ = proved(**field(type="string", pattern="^(?=a)(b|a)\\p{L}+$"))
    tap.ok("a pattern of ICU's is not ready", c and ".is_proven = true" in c and
           ".is_ready = false" in c, complaints)
    for name, rules, word in (("a title that is a number", {"title": 7}, "title"),
                              ("a type that is none", {"type": "text"}, "type"),
                              ("a broken pattern", {"pattern": "("}, "regular expression"),
                              ("a length below 0", {"minLength": -1}, "minLength")):
        status, complaints, c, _ = proved(**field(**rules))
        tap.ok(f"--prove refuses: {name}", status == 1 and c is None and
               "block_thing.json: inputSchema" in complaints and word in complaints, complaints)


def changed(path, value):
    """tool() with the member at 'path' replaced, or dropped when 'value' is None."""
    result = tool()
    at = result
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return result


def test_refusals():
    refused("no JSON", b"{\"name\": ", "line 1")
    refused("text behind the value", b"{} {}", "Extra data")
    refused("a member twice", b"{\"a\": 1, \"a\": 2}", "'a'", "twice")
    refused("NaN", b"{\"a\": NaN}", "NaN")
    refused("not UTF-8", b"{\"a\": \"\xff\"}", "UTF-8")
    refused("a lone surrogate", b"{\"a\": \"\\ud800\"}", "UTF-8")
    refused("no object", b"[]", "not an object")
    refused("an empty file", b"", "line 1")
    for member in tool():
        refused(f"no {member}", changed([member], None), f"lacks '{member}'")
    refused("an unknown member", tool(titel="x"), "'titel'")
    refused("another name", tool(name="block_other"), "block_other")
    refused("empty title", tool(title=" "), "'title'")
    refused("a name that is no verb_noun", tool(name="block"), "verb_noun",
            path="things/block.json")
    refused("unknown arguments allowed",
            changed(["inputSchema", "additionalProperties"], None), "additionalProperties")
    refused("input that is no object", changed(["inputSchema", "type"], "array"),
            "inputSchema", "object")
    refused("requires what is no property", changed(["inputSchema", "required"], ["x"]), "'x'")
    refused("a field without description",
            changed(["inputSchema", "properties", "thing"], {"type": "string"}), "'thing'")
    refused("output that is no object", changed(["outputSchema", "type"], None), "outputSchema")
    refused("a reference that moves", changed(
        ["outputSchema", "properties", "after"], {"$ref": "#"}), "'#'")
    refused("a reference to nothing", changed(["outputSchema", "$defs"], {}), "does not exist")
    refused("an $id", changed(["outputSchema", "$id"], "http://x/"), "$id")
    refused("another dialect", changed(
        ["inputSchema", "$schema"], "http://json-schema.org/draft-07/schema#"), "$schema")
    refused("three hints", changed(["annotations", "openWorldHint"], None), "openWorldHint")
    refused("a hint that is no boolean", changed(["annotations", "openWorldHint"], "no"),
            "booleans")
    refused("an unknown risk", tool(_meta={"org.wingman/risk": "harmless"}), "risk")
    refused("a read that is destructive", tool(_meta={"org.wingman/risk": "read"}),
            "readOnlyHint", "destructiveHint")
    refused("a schema of nothing in particular", {"type": "object"}, "$schema",
            path="config.schema.json")


if __name__ == "__main__":
    tap.run([test_good, test_wrapping, test_any, test_prove, test_refusals])
    tap.done()
