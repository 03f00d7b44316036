"""Playbooks out of Confluence: which pages, as whom, and how often it is asked. Against a
double of our own, which an independent client reads as we do."""

import os

import tap
from doubles.confluence import TOKEN, USER, Confluence
from playbooks_rig import PlaybooksRig

STORAGE = """<h1>Phishing</h1><p>Somebody clicked &amp; typed&nbsp;a <strong>pass</strong>word &ndash; *now*.</p>
<h2>Contain</h2><ol><li><p>Block the sender</p><ul><li>at the gateway</li></ul></li><li>Tell <em>people</em></li></ol>
<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">sh</ac:parameter>
<ac:plain-text-body><![CDATA[grep <evil> /var/log & done]]></ac:plain-text-body></ac:structured-macro>
<ac:structured-macro ac:name="info"><ac:rich-text-body><p>Panel words</p></ac:rich-text-body></ac:structured-macro>
<ac:structured-macro ac:name="jira"><ac:parameter ac:name="key">HIDDEN-1</ac:parameter></ac:structured-macro>
<ac:task-list><ac:task><ac:task-id>7</ac:task-id><ac:task-status>incomplete</ac:task-status>
<ac:task-body>A task</ac:task-body></ac:task></ac:task-list>
<table><tbody><tr><th>A</th><th>B</th></tr><tr><td><p>1</p></td><td>2</td></tr></tbody></table>
<p><a href="https://evil.example/x">a link</a><script>alert(1)</script></p><unclosed><p>last"""


class WikiRig(PlaybooksRig):
    def __init__(self, wiki, more, spaces="SEC", everybody="staff"):
        super().__init__(more_sources=(
            f"    - {{name: wiki, confluence: {{url: '{wiki.root}', user: '{USER}', token_file: playbooks/wiki.token,"
            f" spaces: [{spaces}], everybody: [{everybody}], every_s: 1{more}}}}}\n"))
        self.write("playbooks/wiki.token", TOKEN)


def fill(wiki):
    wiki.page("101", "Phishing guide", STORAGE, labels=["runbook", "mail"])
    wiki.page("102", "Secret plan", "<p>zebra secret</p>", parent="101", labels=["runbook"])
    wiki.page("103", "Below secret", "<p>zebra below</p>", parent="102", labels=["runbook"])
    wiki.page("104", "In a folder", "<p>zebra folder</p>", parent="900", parent_type="folder", labels=["runbook"])
    wiki.page("105", "Unknown parent", "<p>zebra orphan</p>", parent="901", parent_type="whiteboard", labels=["runbook"])
    wiki.page("106", "No runbook", "<p>zebra unlabelled</p>")
    wiki.page("107", "Old", "<p>zebra trashed</p>", status="trashed", labels=["runbook"])
    wiki.page("108", "For a group", "<p>zebra group</p>", labels=["runbook"])
    wiki.folders["900"] = "102"
    wiki.restrict("102", users=["acc-alice"])
    wiki.restrict("108", groups=["leads", "unknown"])


def found(rig, token="client"):
    return sorted(r["id"] for r in rig.get("search_playbooks", token, query="zebra").get("results", []))


def test_pages_and_people():
    with Confluence() as wiki:
        fill(wiki)
        rig = WikiRig(wiki, ", labels: [runbook], people: {acc-alice: 'alice@example.test'},"
                            " groups: {leads: ['bob@example.test']}")
        try:
            rig.start()
            rig.until(lambda: "101" in rig.ids(), "the wiki to be read")
            tap.equal("who may see them all", found(rig), ["102", "103", "104"])
            tap.equal("somebody else sees the group's alone", found(rig, "bob"), ["108"])
            tap.equal("nor can they be read by id", rig.get("get_playbook", "bob", playbook="103")["error"]["code"],
                      "not_found")
            tap.ok("nor listed", "102" not in rig.ids("bob") and "105" not in rig.ids(), rig.ids("bob"))
            page = rig.get("get_playbook", playbook="101")
            text = page["markdown"]
            tap.ok("headings, text and entities", page["title"] == "Phishing guide" and "# Phishing\n" in text
                   and "clicked \\& typed a **pass**word – \\*now\\*" in text, text)
            tap.ok("lists in lists", "1. Block the sender\n" in text and "- at the gateway" in text
                   and "2. Tell *people*" in text, text)
            tap.ok("code as it is", "grep <evil> /var/log & done" in text, text)
            tap.ok("panels and tasks, and no other macro", "Panel words" in text and "A task" in text
                   and "HIDDEN" not in text and "alert" not in text, text)
            tap.ok("a table", "| A | B |" in text and "| 1 | 2 |" in text, text)
            tap.ok("a link is text", "](https://evil" not in text and "https://evil.example/x" in text, text)
            tap.equal("its version, its address, its labels",
                      (page["citation"]["revision"], page["url"], sorted(page["tags"])),
                      ("version 1", wiki.url + "/spaces/SEC/pages/101", ["mail", "runbook"]))
            check_changes(rig, wiki)
        finally:
            rig.done()


def check_changes(rig, wiki):
    before = len(wiki.asked(r"pages/101\?"))
    wiki.page("104", "In a folder", "<p>zebra giraffe</p>", parent="900", parent_type="folder", labels=["runbook"])
    rig.until(lambda: rig.get("search_playbooks", query="giraffe")["results"], "the new version")
    tap.equal("only what changed was fetched", len(wiki.asked(r"pages/101\?")), before)
    wiki.restrict("101", users=["acc-nobody"])
    rig.until(lambda: "101" not in rig.ids(), "a restriction without a new version to be seen")
    tap.equal("what stands under it is hidden too", found(rig), [])
    wiki.restrict("101")
    rig.until(lambda: "101" in rig.ids(), "it to be lifted")
    wiki.refuse_next = 1
    asked = len(wiki.requests)
    rig.until(lambda: len(wiki.requests) > asked + 3, "the vendor's wish to wait to be kept")
    wiki.failing["/wiki/rest/api/content/101"] = 404
    rig.until(lambda: "101" not in rig.ids(), "a page whose readers nobody tells to be hidden")
    wiki.failing.clear()
    rig.until(lambda: "101" in rig.ids(), "it to be back")
    wiki.failing["/wiki/api/v2/spaces"] = 403
    rig.until(lambda: any("fault" in s for s in rig.get("list_playbooks")["sources"]), "the fault to be told")
    tap.ok("an outage empties nothing", "101" in rig.ids())
    secrets = rig.read("run/playbooks.log") + str(rig.get("list_playbooks"))
    tap.ok("the token is nowhere told", TOKEN not in secrets)


def test_spaces():
    """Who may not read the space sees no page of it, however open the page."""
    with Confluence() as wiki:
        wiki.spaces["OPS"], wiki.permissions["12"] = "12", []
        wiki.page("201", "For all", "<p>zebra all</p>")
        wiki.page("301", "For some", "<p>zebra some</p>", space="12")
        wiki.page("302", "For fewer", "<p>zebra fewer</p>", space="12")
        for kind, who, key, target in (
                ("group", "leads", "read", "space"), ("user", "acc-carol", "read", "space"),
                ("user", "acc-unknown", "read", "space"), ("group", "gone", "read", "space"),
                ("role", "staff", "read", "space"), ("group", "staff", "create", "page"),
                ("user", "acc-alice", "read", "page")):
            wiki.permit("12", kind, who, key, target)
        del wiki.groups["g-gone"]
        wiki.restrict("302", users=["acc-alice", "acc-carol"], groups=["leads"])
        rig = WikiRig(wiki, ", people: {acc-alice: 'alice@example.test', acc-carol: 'carol@example.test'},"
                            " groups: {leads: ['bob@example.test'], fallback: ['alice@example.test']},"
                            " fallback_groups: [fallback]", spaces="SEC, OPS")
        try:
            rig.start()
            rig.until(lambda: "201" in rig.ids(), "the wiki to be read")
            tap.equal("who is in none of the space's groups", found(rig), ["201"])
            tap.equal("who is in one, by its name", found(rig, "bob"), ["201", "301", "302"])
            tap.equal("no page of it by id", rig.get("get_playbook", playbook="301")["error"]["code"], "not_found")
            tap.ok("permissions come page by page", wiki.asked("spaces/12/permissions.*cursor=6"), wiki.requests)
            check_space_changes(rig, wiki)
        finally:
            rig.done()


def check_space_changes(rig, wiki):
    wiki.permit("12", "group", "staff")
    rig.until(lambda: "301" in rig.ids(), "the space to be opened to everybody")
    tap.equal("what restricts a page stays", found(rig), ["201", "301", "302"])
    wiki.failing["/wiki/api/v2/spaces/12/permissions"] = 403
    rig.until(lambda: "301" not in rig.ids("bob"), "permissions nobody tells")
    tap.equal("the configured group sees its pages, as far as they are not restricted",
              (found(rig), found(rig, "bob")), (["201", "301", "302"], ["201"]))
    wiki.failing["/wiki/api/v2/spaces/12/permissions"] = 500
    rig.until(lambda: any("fault" in s for s in rig.get("list_playbooks")["sources"]), "the fault to be told")
    tap.equal("a fault leaves things as they were", found(rig, "bob"), ["201"])
    wiki.failing.clear()
    wiki.permissions["12"] = []
    rig.until(lambda: "301" not in rig.ids(), "a space that nobody may read to be hidden")
    tap.equal("the other space is as it was", found(rig), ["201"])
    wiki.failing["/wiki/rest/api/group/by-id"] = 403
    rig.until(lambda: "201" not in rig.ids(), "a group whose name nobody tells to be nobody")


def test_the_double_by_another_client():
    try:
        from atlassian.confluence.cloud.cloud import ConfluenceCloud as Client
    except ImportError as e:
        tap.skip("atlassian-python-api", e)
        return
    with Confluence() as wiki:
        fill(wiki)
        client = Client(url=wiki.url, username=USER, password=TOKEN)
        tap.equal("it finds the space", [(s["id"], s["key"]) for s in client.get_spaces()], [("11", "SEC")])
        tap.equal("it follows the cursors", [p["id"] for p in client.get_pages(space_id="11", limit=2)],
                  [i for i in wiki.pages if i != "107"])
        page = client.get_page_by_id("101", body_format="storage")
        tap.equal("it reads a page as we do", (page["title"], page["version"]["number"],
                                              page["body"]["storage"]["value"]), ("Phishing guide", 1, STORAGE))
        tap.equal("and its labels", [x["name"] for x in client.get_page_labels("101")], ["runbook", "mail"])


if __name__ == "__main__":
    tap.run([test_pages_and_people, test_spaces, test_the_double_by_another_client])
    tap.done()
