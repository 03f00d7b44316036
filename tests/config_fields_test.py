"""Every member that a configuration schema documents is read by the code it belongs to.

A member that is judged and then ignored is worse than an unknown one: its author
believes in it. Decoding is in tables or by name, so a documented name must stand as a
string in the files that decode; and a table may hold no name that the schema refuses.
That everything decodes and nothing unknown does is tests/config_schema-test.c's part.
"""

import json
import os
import re

import tap

ROOT = os.environ["WINGMAN_SOURCE"]

LDAP = "common/link/ldap/ldap_link.c"
# Schema file, definition (None: the document), the files that decode it.
READERS = [
    ("config.schema.json", "server",
     ["common/mcp/server_config.c", "common/mcp/oauth/oauth_config.c",
      "common/link/coordination/coordination_config.c"]),
    ("config.schema.json", "accounts_backend",
     ["servers/accounts/accounts.c", "servers/accounts/backend_ldap.c", LDAP,
      "servers/accounts/backend_okta.c", "servers/accounts/backend_github.c",
      "servers/accounts/backend_slack.c", "common/api/okta/okta.c",
      "common/api/github/github.c", "common/api/slack/slack.c",
      "servers/accounts/guards.c", "servers/accounts/people_peer.c"]),
    ("config.schema.json", "okta_api", ["common/api/okta/okta.c"]),
    ("config.schema.json", "github_api", ["common/api/github/github.c"]),
    ("config.schema.json", "slack_api", ["common/api/slack/slack.c"]),
    ("config.schema.json", "people_backend",
     ["servers/people/" + name for name in (
         "settings.c", "people.c", "source_file.c", "source_ldap.c", "source_okta.c",
         "source_github.c", "source_slack.c", "source_rules.c", "system.c")]
     + [LDAP, "common/api/okta/okta.c", "common/api/github/github.c", "common/api/slack/slack.c"]),
    ("config.schema.json", "playbooks_backend",
     ["servers/playbooks/playbooks.c", "servers/playbooks/source_folder.c",
      "servers/playbooks/embed.c", "servers/playbooks/vectors.c",
      "servers/playbooks/source_confluence.c", "servers/playbooks/confluence_list.c",
      "servers/playbooks/confluence_people.c", "servers/playbooks/confluence_space.c"]),
    ("config.schema.json", "slack",
     ["slack/process/settings.c", "slack/process/forms.c", "slack/process/panels.c", "common/api/slack/slack.c",
      "common/link/coordination/coordination_config.c"]),
    ("config.schema.json", "gate",
     ["gate/settings.c", "gate/context.c", "gate/slack_settings.c", "gate/policy.c", "gate/membership.c",
      "gate/members_ldap.c", "gate/members_ldap_group.c", LDAP, "gate/members_okta.c",
      "common/api/okta/okta.c",
      "common/link/coordination/coordination_config.c"]),
    ("config.schema.json", "assistant", ["assistant/settings.c"]),
    ("policy.schema.json", None, ["gate/policy_rules.c", "gate/policy_pattern.c"]),
]


def members(schema, document, where=""):
    """Paths of all documented members below a schema."""
    if "$ref" in schema:
        target = document["$defs"][schema["$ref"].rpartition("/")[2]]
        yield from members(target, document, where)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from members(schema["additionalProperties"], document, where)
    for name, inner in schema.get("properties", {}).items():
        yield f"{where}{name}"
        yield from members(inner, document, f"{where}{name}/")
    if isinstance(schema.get("items"), dict):
        yield from members(schema["items"], document, where)


def unread(paths, code):
    """Of documented paths those whose last name is no string in the code."""
    strings = set(re.findall(r'"(\w+)"', re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL)))
    return sorted(p for p in paths if p.rpartition("/")[2] not in strings)


def in_tables(code):
    """The names in tables of struct json_field."""
    return set(re.findall(r'{\s*"(\w+)",\s*JSON_FIELD_', code))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def test_the_tree():
    for file, definition, sources in READERS:
        document = json.loads(read("schemas/" + file))
        schema = document["$defs"][definition] if definition else document
        paths = set(members(schema, document))
        code = "".join(read(source) for source in sources)
        name = definition or file
        tap.ok(f"{name} documents members", len(paths) > 5, paths)
        tap.equal(f"{', '.join(sources)} read what {name} documents",
                  unread(paths, code), [])
        tap.equal("and have nothing in their tables that it does not",
                  sorted(in_tables(code) - {p.rpartition("/")[2] for p in paths}), [])


def test_the_checker():
    document = {"$defs": {"limits": {"properties": {"most": {}}}},
                "properties": {"a": {"$ref": "#/$defs/limits"}, "b": {"items": {
                    "properties": {"id": {}}}}}}
    paths = set(members(document, document))
    tap.equal("members, through references and lists", paths, {"a", "a/most", "b", "b/id"})
    code = '{ "a", JSON_FIELD_OBJECT, 0 }, json_get_string(x, "id"); /* "most" */ "b"'
    tap.equal("found: a member that is not read", unread(paths, code), ["a/most"])
    tap.equal("names in tables", in_tables(code), {"a"})


if __name__ == "__main__":
    tap.run([test_the_checker, test_the_tree])
    tap.done()
