"""Who is who in a whole suite: reads and links through the gate, and what a service may read
without a person."""

import json
import urllib.parse

import suite
import tap


def read(s, uri, token):
    """What is at a uri of the people server, or the code of the refusal."""
    _, body = s.mcp("resources/read", {"uri": uri}, s.token(token), uri, server="people")
    if "error" in body:
        return body["error"].get("data", {}).get("error", {}).get("code", body["error"])
    return json.loads(body["result"]["contents"][0]["text"])


def search(s, query, token="accounts-people"):
    return read(s, "person://search?q=" + urllib.parse.quote(query, safe=""), token)


def owner(s, login):
    return search(s, "github:" + login)["people"][0]["id"]


def test_in_a_suite():
    s = whole
    code, record = s.run("people.find_person", query="john doe")
    tap.ok("a name that two have is ambiguous", code == 0 and '"ambiguous"' in json.dumps(record) and
           "john.doe.ext" in json.dumps(record), record)
    tap.equal("a service reads what is freed for it", search(s, "<@U0SAMPLE01>")["people"][0]["id"], "john.doe")
    tap.equal("and a record by id", read(s, "person://john.doe", "accounts-people")["display_name"], "John Doe")
    tap.equal("nobody is an answer, not a fault", search(s, "nobody at all")["match"], "none")
    tap.equal("a record that is not there", read(s, "person://nobody", "accounts-people"), "not_found")
    tap.equal("a person's own token needs a person's yes for it", read(s, "person://john.doe", "client"),
              "approval_required")
    status, _ = s.mcp("resources/read", {"uri": "person://john.doe"}, "wm_" + "x" * 43, "person://john.doe",
                      server="people")
    tap.equal("and a stranger's is none", status, 401)
    status, body = s.call("find_person", {"query": "john doe"}, s.token("accounts-people"))
    tap.ok("its token opens no other server", status in (401, 403), (status, body))

    link = {"person": "john.doe", "system": "github", "identifier": "johndoe-hosting",
            "reason": "He said so on the phone"}
    child, approval = s.propose("people.link_identity", **link)
    tap.equal("until somebody agrees nothing is linked", owner(s, "johndoe-hosting"), "john.doe.ext")
    page, _ = s.decide(approval)
    for must in ("johndoe-hosting", "from: john.doe.ext", "to: john.doe", "taken away from", "He said so"):
        tap.ok(f"the prompt says {must!r}", must in page, page)
    code, record = s.finish(child)
    tap.ok("linked, and read back", code == 0 and record["state"] == "succeeded", record)
    tap.equal("it is his now", owner(s, "johndoe-hosting"), "john.doe")
    found = search(s, "github:johndoe-hosting")["people"][0]
    tap.ok("shown as a link, with who and why", any(
        e["matched_on"].startswith("link by ") and "He said so on the phone" in e["matched_on"]
        for e in found["evidence"]) and "linked" in found["flags"], found)
    s.kill("wingman-people")
    s.wait_for(lambda: answers(s), what="people to answer")
    tap.equal("also after a kill", owner(s, "johndoe-hosting"), "john.doe")
    code, _ = s.run("people.unlink_identity", **{**link, "reason": "It was somebody else"})
    tap.equal("taken back", (code, owner(s, "johndoe-hosting")), (0, "john.doe.ext"))
    code, record = s.run("people.link_identity", **{**link, "person": "John Doe"})
    tap.ok("by a name nobody is linked", code == 1 and "not_found" in json.dumps(record), record)


def answers(s):
    try:
        return isinstance(search(s, "john.doe"), dict)
    except OSError:
        return False


whole = suite.Suite()

if __name__ == "__main__":
    try:
        whole.start()
        tap.run([test_in_a_suite])
    finally:
        whole.done()
    tap.done()
