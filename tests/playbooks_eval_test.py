"""The search of playbooks is as good as it was: a table by style, and a floor for each.

The floors are what was reached; what falls below made the search worse. And the tables of
words repeat no judged question, so that what is measured is what other questions meet."""

import os
import re

import playbooks_eval
import tap

BUILD = os.environ["WINGMAN_BUILD"]
SOURCE = os.environ["WINGMAN_SOURCE"]
PROGRAM = os.path.join(BUILD, "bin", "playbooks-eval")
WORDS = os.path.join(SOURCE, "servers", "playbooks", "words", "security.txt")
STOPS = os.path.join(SOURCE, "servers", "playbooks", "words.c")

# nDCG@10, rounded down.
FLOORS = {
    "sample": {"ALL": 0.97, "typo": 0.99},
    "own": {"ALL": 0.92, "typo": 0.98, "paraphrase": 0.76},
    "public": {"ALL": 0.82, "typo": 0.99, "paraphrase": 0.54},
    "sixty": {"ALL": 0.89, "typo": 0.95, "paraphrase": 0.66, "acronym": 0.97},
}


def check(name, *where):
    result = playbooks_eval.evaluate(PROGRAM, *where)
    for line in playbooks_eval.table(result).splitlines():
        print("# " + line)
    for style, floor in FLOORS[name].items():
        tap.ok(f"{name}: {style} is at {floor} or above", result[style][1] >= floor, result[style])


def test_scoring():
    """By hand: two relevant, found in the second and the fourth place."""
    ndcg, recall, first = playbooks_eval.score(["x", "a", "y", "b"], {"a": 2, "b": 1})
    tap.ok("nDCG", abs(ndcg - (3 / 1.5849625 + 1 / 2.3219281) / (3 + 1 / 1.5849625)) < 1e-6, ndcg)
    tap.equal("recall and rank", (recall, first), (1.0, 0.5))
    tap.equal("nothing found", playbooks_eval.score([], {"a": 2}), (0.0, 0.0, 0.0))


def test_sets():
    there = list(playbooks_eval.sets())
    for name, *where in there:
        check(name, *where)
    for name in playbooks_eval.SETS.keys() - {name for name, *_ in there}:
        tap.skip(f"the judged set {name}", "it is not beside the checkout")


# ---- The table is not made of the questions ----

def stop_words():
    with open(STOPS, encoding="utf-8") as f:
        return set(re.findall(r'"([a-z]+)"', f.read().split("stop_words[] = {")[1].split("};")[0]))


def stem(word):
    for end in ("ing", "ed", "es", "s", "e"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            return word[:-len(end)]
    return word


def content(text, stops):
    return {stem(w) for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in stops}


def everyday_phrases():
    with open(WORDS, encoding="utf-8") as f:
        for line in f:
            if line[0] not in "#~" and "<" in line:
                yield from (p.strip() for p in line.split("<", 1)[1].split(","))


def repeated(phrases, questions, stops):
    """Phrases of two words and more that stand in one of the questions as they are."""
    asked = [content(q, stops) for q in questions]
    return [p for p in phrases
            if len(content(p, stops)) > 1 and any(content(p, stops) <= a for a in asked)]


def test_independence():
    stops = stop_words()
    tap.equal("a repeated phrase would be seen",
              repeated(["drew moustaches on it", "moustache"], ["who drew a moustache on it?"], stops),
              ["drew moustaches on it"])
    phrases = list(everyday_phrases())
    tap.ok("there are phrases", len(phrases) > 300, len(phrases))
    for name, _, queries, _ in playbooks_eval.sets():
        questions = [q["query"] for q in playbooks_eval.read_queries(queries)
                     if q["style"] in ("question", "paraphrase")]
        tap.equal(f"the table repeats no question of {name}", repeated(phrases, questions, stops), [])


if __name__ == "__main__":
    tap.run([test_scoring, test_sets, test_independence])
    tap.done()
