"""Playbooks found by vectors, against an endpoint of our own: kept, and never needed."""

import json
import os
import threading

import tap
from doubles.confluence import TOKEN, USER, Confluence
from doubles.embeddings_double import EmbeddingsDouble
from playbooks_rig import PlaybooksRig

PARAPHRASE = "screen turns black"  # no word of it stands in the page


class VectorsRig(PlaybooksRig):
    def __init__(self, double, model="m1", more_sources=""):
        self.double, self.model = double, model
        super().__init__(more_backend=self.backend(), more_sources=more_sources)
        self.write("playbooks/embed.key", double.key)
        self.page("monitor.md", "# Monitor goes dark\n\nMonitor goes dark.\n")
        self.page("mail.md", "# Mail\n\nQuarantine the phishing message.\n")

    def backend(self):
        return (f"  embeddings: {{url: '{self.double.url}/v1', model: {self.model},"
                " token_file: playbooks/embed.key}\n")

    def found(self, query=PARAPHRASE, token="client"):
        return [r["id"] for r in self.get("search_playbooks", token, query=query)["results"]]

    def log(self):
        return self.read("run/playbooks.log")

    def embedded(self, times=1):
        """So many times all sections had their vectors."""
        return sum("playbooks.vectors" in line and "dimensions" in line and self.is_whole(line)
                   for line in self.log().splitlines()) >= times

    @staticmethod
    def is_whole(line):
        return '"missing":0' in line.replace(" ", "") or "missing=0" in line

    def start_anew(self):
        self.server.kill()
        os.remove(self.path("run/playbooks.log"))
        self.start_server()


def test_found_and_kept():
    double = EmbeddingsDouble()
    rig = VectorsRig(double)
    try:
        rig.start()
        rig.until(rig.embedded, "the sections to be embedded")
        tap.equal("a paraphrase is found by what it means", rig.found(), ["monitor.md"])
        asked = len(double.seen())
        tap.equal("what words find", rig.found("quarantine phishing"), ["mail.md"])
        tap.equal("asks nobody", len(double.seen()), asked)
        double.forget()
        rig.start_anew()
        rig.until(rig.embedded, "the vectors to be read")
        tap.equal("after a restart it is still found", rig.found(), ["monitor.md"])
        tap.equal("and only the query was embedded", double.texts(), [PARAPHRASE])
        double.forget()
        rig.page("third.md", "# Third\n\nAnother page.\n")
        rig.until(lambda: "third.md" in rig.ids() and rig.embedded(2), "the new page to be embedded")
        tap.ok("what did not change is not embedded again",
               double.texts() and all("Third" in t for t in double.texts()), double.texts())
        tap.ok("the key is in no log", double.key not in rig.log())
        double.forget()
        rig.more_backend = rig.backend().replace("model: m1", "model: m2")
        rig.write_server_config()
        rig.start_anew()
        rig.until(rig.embedded, "another model's vectors")
        tap.ok("with another model all is embedded again", any("Monitor" in t for t in double.texts()),
               double.texts())
    finally:
        rig.done()
        double.close()


def test_down_and_odd():
    double = EmbeddingsDouble()
    rig = VectorsRig(double)
    release = threading.Event()
    try:
        rig.start()
        rig.until(rig.embedded, "the sections to be embedded")
        double.dimensions = 32
        tap.equal("a vector of other dimensions is not used", rig.found(), [])
        tap.ok("and a line of the log says so", "other dimensions" in rig.log(), rig.log())
        double.dimensions = 64
        asked = len(double.seen())
        tap.equal("for a while nobody is asked", (rig.found(), len(double.seen())), ([], asked))
        rig.start_anew()
        rig.until(rig.embedded, "the vectors to be read")
        double.fault("POST", "embeddings", wait=release, times=100)
        tap.equal("one that does not answer is not waited for", rig.found(), [])
        tap.equal("words find what they find", rig.found("quarantine phishing"), ["mail.md"])
        release.set()
    finally:
        release.set()
        rig.done()
        double.close()


def test_never_there():
    double = EmbeddingsDouble()
    rig = VectorsRig(double)
    double.close()
    try:
        rig.start()
        rig.until(lambda: "playbooks.not_embedded" in rig.log(), "a failure to be told")
        tap.equal("searches answer by words", rig.found("quarantine phishing"), ["mail.md"])
        tap.equal("and so where these find nothing", rig.found(), [])
    finally:
        rig.done()


def told(rig, token):
    """Everything that answers somebody's question with pages, as one text, without the words of the question."""
    query = PARAPHRASE.replace(" ", "%20")
    search = f"playbook://search?q={query}"
    arguments = {"argument": {"name": "playbook", "value": "10"}}
    answers = [
        rig.get("search_playbooks", token, query=PARAPHRASE, limit=50),
        rig.method("resources/read", {"uri": search}, search, token),
        rig.method("prompts/get", {"name": "triage_alert", "arguments": {"alert": PARAPHRASE}}, "triage_alert", token),
        rig.method("resources/list", {}, "", token),
        rig.method("completion/complete", {"ref": {"type": "ref/prompt", "name": "run_playbook"}, **arguments},
                   "run_playbook", token),
        rig.get("list_playbooks", token, limit=200),
        # Words that only the page has, misspelt: what they were taken for would tell of it.
        rig.get("search_playbooks", token, query="okapii giraffedark"),
    ]
    answers += [rig.get("get_playbook", token, playbook="101"),
                rig.method("resources/read", {"uri": "playbook://101"}, "playbook://101", token),
                rig.method("prompts/get", {"name": "run_playbook", "arguments": {"playbook": "101"}}, "run_playbook",
                           token)]
    return [json.dumps(a) for a in answers]


def test_restricted_pages():
    """Nearness of meaning shows nobody a page that is kept from them."""
    double = EmbeddingsDouble()
    with Confluence() as wiki:
        wiki.page("101", "Okapi", "<p>Monitor goes dark giraffe dark giraffe</p>")
        wiki.restrict("101", users=["acc-alice"])
        rig = VectorsRig(double, more_sources=(
            f"    - {{name: wiki, confluence: {{url: '{wiki.root}', user: '{USER}', token_file: playbooks/wiki.token,"
            " spaces: [SEC], everybody: [staff], people: {acc-alice: 'alice@example.test'}, every_s: 1}}\n"))
        rig.write("playbooks/wiki.token", TOKEN)
        try:
            rig.start()
            rig.until(lambda: "101" in rig.ids() and any("Okapi" in t for t in double.texts()) and
                      sorted(rig.found()) == ["101", "monitor.md"], "both pages to be found by what they mean")
            hers = told(rig, "client")
            tap.equal("to whom it is shown, all of that tells of it", [i for i, a in enumerate(hers) if "kapi" not in a and "giraffe dark" not in a],
                      [4])
            tap.ok("and of its id", '"101"' in hers[4], hers[4])
            double.forget()
            tap.equal("to others only the other page", rig.found(token="bob"), ["monitor.md"])
            tap.equal("though they were answered by vectors", double.texts(), [PARAPHRASE])
            his = told(rig, "bob")
            tap.equal("nothing tells them of the page", [(i, a[:300]) for i, a in enumerate(his) if "Okapi" in a or
                      "okapi\"" in a or "giraffe dark" in a or ('"101"' in a and i != 4)], [])
            tap.ok("not even its id", '"101"' not in his[4], his[4])
        finally:
            rig.done()
            double.close()


if __name__ == "__main__":
    tap.run([test_restricted_pages, test_found_and_kept, test_down_and_odd, test_never_there])
    tap.done()
