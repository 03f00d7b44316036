"""Who may include whom, and whether the pages name files that exist.

The table below is docs/architecture.md's picture as a program. Files under tests/ cross
modules and are left out; a unit test beside its module keeps that module's edges, and
may besides use base, what is under tests/, and what any module offers to tests. What is
made for tests is for tests alone.
"""

import os
import re

import tap

ROOT = os.environ["WINGMAN_SOURCE"]

# Layer: what its files may include. A server is one layer of its own.
EDGES = {
    "base": {"base"},
    "schemas": {"schemas"},
    "proc": {"proc", "base"},
    "wire": {"wire", "base"},
    "show": {"show", "base"},
    "link": {"link", "base"},
    "api": {"api", "link", "base"},
    "guard": {"guard", "link", "wire", "proc", "base", "schemas"},
    "mcp": {"mcp", "guard", "link", "wire", "proc", "base", "schemas"},
    "server": {"own", "mcp", "guard", "link", "api", "base", "schemas"},
    "gate": {"gate", "slack/verify", "slack/render", "api", "mcp", "guard", "link", "wire",
             "proc", "base", "schemas"},
    "console": {"console", "show", "api", "guard", "link/http", "wire", "proc", "base", "schemas",
                "mcp/bridge/stdio_bridge.h", "gate/messages.h", "assistant", "assistant/budget",
                "assistant/host", "link/documents"},
    # Pure, and alone: the gate links the one that judges evidence, and, to know what people
    # were shown, the one that draws.
    "slack/text": {"slack/text", "base"},
    "slack/render": {"slack/render", "slack/text", "show", "base"},
    "slack/verify": {"slack/verify", "base"},
    "slack/outbox": {"slack/outbox", "api", "link/documents", "base"},
    "slack/home": {"slack/home", "slack/render", "slack/text", "show", "base", "schemas"},
    "slack/inbound": {"slack/inbound", "base"},
    "slack/markdown": {"slack/markdown", "slack/render", "slack/text", "base"},
    "slack/result": {"slack/result", "slack/markdown", "slack/render", "slack/text", "base"},
    "slack/socket": {"slack/socket", "slack/ingress", "slack/verify", "api", "proc", "base"},
    "slack/form": {"slack/form", "slack/render", "slack/text", "show", "wire", "base", "schemas"},
    "slack/ingress": {"slack/ingress", "slack/verify", "wire", "proc", "base"},
    "slack/process": {"slack/process", "slack/text", "slack/render", "slack/verify", "slack/form",
                      "slack/inbound", "slack/home", "slack/outbox", "slack/ingress", "slack/socket/socket.h",
                      "slack/result", "slack/markdown", "show", "api",
                      "link/documents", "link/coordination", "link/http", "wire", "proc", "base",
                      "schemas", "gate/messages.h",
                      "assistant", "assistant/budget", "assistant/host"},
    "slack": {"slack", "slack/text", "slack/render", "slack/verify", "slack/form", "slack/inbound",
              "slack/home", "slack/outbox", "slack/markdown", "slack/result", "show", "api", "link/documents",
              "link/http", "wire", "proc", "base", "schemas",
              "gate/messages.h"},
    # What they say to one another, and what both sides know.
    "assistant": {"assistant", "wire/schema.h", "schemas", "base"},
    "assistant/budget": {"assistant/budget", "assistant", "link/coordination", "link/documents", "base"},
    "assistant/worker": {"assistant/worker", "assistant", "wire/sse.h", "proc", "base"},
    "assistant/host": {"assistant/host", "assistant", "assistant/budget", "link/documents",
                       "link/coordination", "proc", "base"},
    "assistant/egress": {"assistant/egress", "assistant", "link/http", "proc", "base"},
    "bench": {"bench", "server", "mcp", "guard", "link", "wire", "proc", "base", "schemas"},
}

# What a layer's tests may include besides: the HTTP client meets our own server, and what
# Slack says is unpacked before it is read.
TEST_EDGES = {"common/link/http": {"wire"}, "common/api/rest": {"wire"},
              "slack/inbound": {"slack/verify"}}

# What a program may touch is what it links: these headers belong to these folders. bench/
# holds us against the bare libraries.
LIBRARIES = {
    "curl/": {"common/link/http"},
    "ldap.h": {"common/link/ldap"},
    "lber.h": {"common/link/ldap"},
    "sqlite3.h": {"common/link/sqlite", "common/link/documents", "common/link/coordination",
                  "bench", "servers/playbooks"},
    "md4c.h": {"servers/playbooks", "slack/markdown"},
    "libstemmer.h": {"servers/playbooks"},
    "git2.h": {"servers/playbooks"},
    "libwebsockets.h": {"slack/socket"},
    "microhttpd.h": {"common/wire", "bench"},
    "yaml.h": {"common/base"},
    "seccomp.h": {"common/proc"},
    "linux/landlock.h": {"common/proc"},
    "histedit.h": {"console"},
    "editline/": {"console"},
    "sys/epoll.h": {"common/proc", "common/wire", "common/link/http", "bench"},
    "gnutls/": {"common/base", "common/wire", "common/link/coordination"},
    "hiredis/": {"common/link/coordination", "bench"},
    "jose/": {"common/guard"},
    "openssl/": {"common/base", "common/guard", "common/link/http", "bench"},
    "unicode/": {"common/base", "common/wire"},
}

SERVERS = ("people", "accounts", "firewall", "incidents", "tickets", "playbooks", "vulns")
SERVER_IN_LITERAL = re.compile(r'"(?:%s)[".]' % "|".join(SERVERS))
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


# Tests and fuzzers, a contract that twins are held to, and what modules offer to tests:
# none of it is linked into a program that is installed.
FOR_TESTS = re.compile(r"(-test|-fuzz|_contract)\.c$|"
                       r"(^|/)(\w+_test|\w+_contract)\.h$|(^|/)testing(_\w+)?\.[ch]$|"
                       r"(^|/)fake_\w+\.[ch]$")


def is_test(path):
    return path.startswith("tests/") or bool(FOR_TESTS.search(path))


def layer_of(path):
    """The row of EDGES for a file, None if it has none."""
    parts = path.split("/")
    if parts[0] == "common" and len(parts) > 2:
        return parts[1]
    if parts[0] == "servers" and len(parts) > 2:
        return "server"
    if parts[0] in ("assistant", "slack") and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0] if len(parts) > 1 else None


def resolve(include, files, test=False):
    """The path in the tree of an include, None if there is no such file."""
    for path in ("common/" + include, include, "tests/" + include if test else include):
        if path in files:
            return path
    return None


def may_include(path, target):
    layer, wanted = layer_of(path), layer_of(target)
    allowed = EDGES.get(layer, set())
    if layer == "server" and wanted == "server":
        return path.split("/")[1] == target.split("/")[1]
    short = target.removeprefix("common/")
    return wanted in allowed or any(
        short == a or short.startswith(a + "/") for a in allowed if "/" in a) or \
        (is_test(path) and (wanted == "base" or is_test(target) or any(
            path.startswith(a + "/") and wanted in TEST_EDGES[a] for a in TEST_EDGES)))


def circles(graph):
    """One complaint for each circle that a walk through {node: set of nodes} meets."""
    found, done = [], set()

    def walk(node, trail):
        if node in trail:
            found.append("circle: " + " -> ".join(trail[trail.index(node):] + [node]))
            return
        if node in done:
            return
        for other in sorted(graph.get(node, ())):
            walk(other, trail + [node])
        done.add(node)

    for node in sorted(graph):
        walk(node, [])
    return found


def check_include(path, kind, include, files):
    """(complaint or None, target or None) of one include line."""
    if kind == "<":
        for header, folders in LIBRARIES.items():
            if include == header or (header.endswith("/") and include.startswith(header)):
                if os.path.dirname(path) not in folders and not is_test(path):
                    return f"{path}: <{include}> belongs to {', '.join(sorted(folders))}", None
        return None, None
    if "/" not in include or ".." in include:
        return f"{path}: \"{include}\" does not carry its layer", None
    target = resolve(include, files, is_test(path))
    if not target:
        return f"{path}: \"{include}\" does not exist", None
    if include.endswith(".c") and not is_test(path):
        return f"{path}: \"{include}\" is no header", None
    if is_test(target) and not is_test(path):
        return f"{path}: \"{include}\" is for tests alone", None
    if not may_include(path, target):
        return f"{path}: \"{include}\" is none of {layer_of(path)}'s business", None
    return None, target


def check_tree(files):
    """Complaints about {path: text}, the C files of the whole project."""
    complaints, folders, headers = [], {}, {}
    for path, text in sorted(files.items()):
        if path.startswith("tests/"):
            continue
        if layer_of(path) not in EDGES:
            complaints.append(f"{path}: its folder is no layer")
            continue
        for kind, include in INCLUDE.findall(text):
            complaint, target = check_include(path, kind, include, files)
            if complaint:
                complaints.append(complaint)
            if not target or is_test(path):
                continue
            if os.path.dirname(path) != os.path.dirname(target):
                folders.setdefault(os.path.dirname(path), set()).add(os.path.dirname(target))
            if path.endswith(".h"):
                headers.setdefault(path, set()).add(target)
        if "mcp_service_admit" in text and not path.startswith(("common/mcp/", "bench/")):
            complaints.append(f"{path}: lets callers in without a token, as only tests may")
        if path.startswith("common/guard/") and "slack" in text.lower():
            complaints.append(f"{path}: guard has never heard of Slack")
        if path.startswith("common/") and not is_test(path):
            # A name in a comment is an example; in a string it is knowledge.
            code = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
            for literal in SERVER_IN_LITERAL.findall(code):
                complaints.append(f"{path}: common code names a server: {literal}")
    return complaints + circles(folders) + circles(headers)


def own_header_first(files):
    """x.c that has an x.h includes it first, so that the header stands alone."""
    complaints = []
    for path, text in sorted(files.items()):
        header = path[:-2] + ".h"
        if path.startswith("tests/") or not path.endswith(".c") or header not in files:
            continue
        first = INCLUDE.search(text)
        if not first or resolve(first.group(2), files) != header:
            complaints.append(f"{path}: does not include its own header first")
    return complaints


def read_tree():
    files = {}
    for folder, folders, names in os.walk(ROOT):
        if folder == ROOT:
            folders[:] = [f for f in folders if f not in ("build", ".git")]
        for name in names:
            if name.endswith((".c", ".h")):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as f:
                    files[os.path.relpath(path, ROOT)] = f.read()
    return files


# ---- pages ----

FILE_ENDINGS = (".c", ".h", ".py", ".json", ".md", ".yaml", ".ldif", ".txt", ".build")
# Without a folder before them these are files of a running suite: `gate.yaml`.
OF_A_SUITE = (".json", ".yaml")


def paths_in(text, top):
    """What a Markdown page names as files of the project: code spans and relative links."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`([^`\s]+)`", text)
    links = re.findall(r"\]\((?![a-z]+:)([^)#\s]+)[^)]*\)", text)
    for span in spans:
        span = span.rstrip(":,")
        if re.search(r"[^\w./-]", span) or span.startswith("/"):
            continue
        if "/" not in span and span.endswith(OF_A_SUITE):
            continue
        first = span.split("/")[0]
        if ("/" in span and first in top) or \
                (span.endswith(FILE_ENDINGS) and (first in top or "/" not in span
                                                  or first in EDGES)):
            yield span
    yield from links


def missing_in(text, there):
    """(how many files a page at the root or in docs/ names, which of them do not exist).

    'there' is every path of the project; a file named without its folder may be in any.
    """
    missing, named = [], 0
    top = {p.split("/")[0] for p in there}
    names = {os.path.basename(p) for p in there}
    for path in paths_in(text, top):
        if path.split("/")[0] == "build":
            continue
        named += 1
        if not (path in names or any(
                os.path.normpath(p + path) in there for p in ("", "common/", "docs/"))):
            missing.append(path)
    return named, missing


def all_paths():
    """Files and folders of the checkout, relative to it."""
    there = set()
    for folder, folders, names in os.walk(ROOT):
        if folder == ROOT:
            folders[:] = [f for f in folders if f not in ("build", ".git")]
        there.update(os.path.relpath(os.path.join(folder, n), ROOT) for n in folders + names)
    return there


def check_page(name, least, there):
    try:
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            text = f.read()
    except OSError as e:
        tap.ok(f"{name} names only files that exist", False, e)
        return
    named, missing = missing_in(text, there)
    tap.ok(f"{name} names only files that exist", not missing, "\n".join(missing))
    if least:
        tap.ok(f"{name} names at least {least} files", named >= least, f"it names {named}")


# ---- tests ----

def test_tree():
    files = read_tree()
    tap.ok("the tree was found", len(files) > 50, f"{len(files)} files")
    complaints = check_tree(files)
    tap.ok("includes point where they may", not complaints, "\n".join(complaints))
    complaints = own_header_first(files)
    tap.ok("a C file includes its own header first", not complaints, "\n".join(complaints))


# A page that names fewer is probably not read rightly. Others may name none.
NAMES_AT_LEAST = {"README.md": 3, "docs/architecture.md": 15}


def test_pages():
    there = all_paths()
    pages = sorted(p for p in there
                   if p.endswith(".md") and os.path.dirname(p) in ("", "docs", "bench"))
    for page in pages:
        check_page(page, NAMES_AT_LEAST.get(page, 0), there)
    tap.ok("the pages that must be there are", set(NAMES_AT_LEAST) <= set(pages), pages)


GOOD = {
    "common/base/error.h": '#include <stddef.h>\n',
    "common/base/error.c": '#include "base/error.h"\n',
    "common/wire/httpd.h": '#include "base/error.h"\n',
    "common/wire/httpd.c": '#include "wire/httpd.h"\n#include <microhttpd.h>\n',
    "common/link/http/http_client.h": '#include "base/error.h"\n',
    "common/link/ldap/ldap_link.h": '#include "base/error.h"\n',
    "common/guard/grant.h": '#include "base/error.h"\n',
    "common/mcp/tool.h": '#include "guard/grant.h"\n',
    "servers/accounts/block.h": '#include "mcp/tool.h"\n',
    "servers/people/find.h": '#include "mcp/tool.h"\n',
    "gate/messages.h": '#include "base/error.h"\n',
    "gate/keys.h": '#include "guard/grant.h"\n',
    "common/base/testing.h": '#include <cmocka.h>\n',
    "common/base/error-test.c": '#include "base/error.h"\n#include "base/testing.h"\n',
    "common/base/error-fuzz.c": '#include "base/error.h"\n#include "tests/fuzz/fuzz.h"\n',
    "common/wire/httpd_test.h": '#include "wire/httpd.h"\n',
    "common/link/http/http_client-test.c":
        '#include "wire/httpd_test.h"\n#include "wire/httpd.h"\n',
    "common/guard/testing_keys.h": '#include "base/testing.h"\n',
    "common/link/ldap/twin_contract.h": '#include "link/ldap/ldap_link.h"\n',
    "common/link/ldap/twin_contract.c":
        '#include "link/ldap/twin_contract.h"\n#include "base/testing.h"\n',
    "common/link/ldap/twin-test.c": '#include "link/ldap/twin_contract.h"\n',
    "common/mcp/tool-test.c": '#include "mcp/tool.h"\n#include "fixture/rig.h"\n',
    "servers/accounts/fake_backend.h": '#include "servers/accounts/block.h"\n',
    "servers/accounts/block-test.c": '#include "servers/accounts/fake_backend.h"\n',
    "tests/fuzz/fuzz.h": '',
    "tests/fixture/rig.h": '#include "mcp/tool.h"\n',
    "console/up.c": '#include "gate/messages.h"\n#include "link/http/http_client.h"\n',
    "tests/tools/x.c": '#include "anything.h"\n',
}

# Name of the fault, the file that has it, its text, a word of the complaint.
BAD = [
    ("entry without a token", "servers/people/x.c", 'mcp_service_admit(s, "all", err);\n',
     "without a token"),
    ("upwards", "common/base/x.c", '#include "wire/httpd.h"\n', "wire/httpd.h"),
    ("upwards with odd spaces", "common/base/x.c", ' # include\t"mcp/tool.h"\n', "mcp/tool.h"),
    ("sideways", "common/proc/x.c", '#include "wire/httpd.h"\n', "wire/httpd.h"),
    ("one server to another", "servers/people/x.c", '#include "servers/accounts/block.h"\n',
     "servers/accounts/block.h"),
    ("a server to the loop", "servers/people/x.c", '#include "gate/keys.h"\n', "gate/keys.h"),
    ("common to a server", "common/mcp/x.c", '#include "servers/people/find.h"\n', "people"),
    ("console behind the gate's messages", "console/x.c", '#include "gate/keys.h"\n',
     "gate/keys.h"),
    ("console to a directory", "console/x.c", '#include "link/ldap/ldap_link.h"\n',
     "link/ldap/ldap_link.h"),
    ("a header that is not there", "gate/x.c", '#include "guard/nothing.h"\n',
     "does not exist"),
    ("no layer in the name", "gate/x.c", '#include "keys.h"\n', "carry its layer"),
    ("a path that climbs", "gate/x.c", '#include "../gate/keys.h"\n', "carry its layer"),
    ("a C file", "gate/x.c", '#include "base/error.c"\n', "no header"),
    ("a library out of place", "servers/people/x.c", '#include <ldap.h>\n', "ldap.h"),
    ("a library by folder", "gate/x.c", '#include <curl/curl.h>\n', "curl/curl.h"),
    ("guard and Slack", "common/guard/x.c", '/* for Slack */\n', "Slack"),
    ("common names a server", "common/mcp/x.c", 'if (!strcmp(s, "accounts"))\n', "accounts"),
    ("a test sideways", "common/link/ldap/x-test.c", '#include "wire/httpd.h"\n', "wire/httpd.h"),
    ("a test upwards", "common/base/x-test.c", '#include "mcp/tool.h"\n', "mcp/tool.h"),
    ("a test of one server to another", "servers/people/x-test.c",
     '#include "servers/accounts/block.h"\n', "servers/accounts/block.h"),
    ("a testing header in a program", "common/guard/x.c", '#include "base/testing.h"\n',
     "for tests alone"),
    ("a contract in a program", "common/link/ldap/x.c",
     '#include "link/ldap/twin_contract.h"\n', "for tests alone"),
    ("a fake in a program", "servers/accounts/x.c",
     '#include "servers/accounts/fake_backend.h"\n', "for tests alone"),
    ("a program that includes from tests/", "common/base/x.c",
     '#include "tests/fuzz/fuzz.h"\n', "for tests alone"),
    ("the short way to tests/ in a program", "common/mcp/x.c", '#include "fixture/rig.h"\n',
     "does not exist"),
    ("a folder that is no layer", "misc/x.c", '', "no layer"),
    ("a circle of folders", "common/link/http/x.c", '#include "link/ldap/y.h"\n', "circle",
     {"common/link/ldap/y.h": '#include "link/http/http_client.h"\n'}),
    ("a circle of headers", "gate/a.h", '#include "gate/b.h"\n', "circle",
     {"gate/b.h": '#include "gate/a.h"\n'}),
]


def test_the_checker():
    tap.equal("a good tree has no complaints", check_tree(GOOD), [])
    for name, path, text, word, *more in BAD:
        complaints = check_tree({**GOOD, path: text, **(more[0] if more else {})})
        tap.ok(f"found: {name}", len(complaints) == 1 and word in complaints[0], complaints)
    tap.equal("found: own header not first",
              len(own_header_first({**GOOD, "common/base/error.c": '#include <stdio.h>\n'})), 1)
    tap.equal("own header first is fine", own_header_first(GOOD), [])


def test_the_page_checker():
    there = {"gate", "gate/keys.c", "common/wire/httpd.c", "docs/formats.md", "README.md",
             "common/guard/grant.h"}
    page = ("`gate/keys.c` `wire/httpd.c` [formats](formats.md#a) `gate/gone.c`, `gone.py` "
            "`grant.h` `gate.yaml` `gate/gone.yaml` `wingman up` `/call TOOL` `keys/gate.key` "
            "[x](docs/gone.md) [y](https://a/b)\n```\n`gate/in-a-block.c`\n```\n")
    tap.equal("found: files that are gone", missing_in(page, there),
              (8, ["gate/gone.c", "gone.py", "gate/gone.yaml", "docs/gone.md"]))


if __name__ == "__main__":
    tap.run([test_the_checker, test_the_page_checker, test_tree, test_pages])
    tap.done()
