"""The search of playbooks is as good as it was: a table by style, and a floor for each.

The floors are what was reached; what falls below made the search worse. Two sets: a small
one of our own on the sample playbooks, and a larger one beside the checkout, if it is there."""

import os

import playbooks_eval
import tap

BUILD = os.environ["WINGMAN_BUILD"]
SOURCE = os.environ["WINGMAN_SOURCE"]
PROGRAM = os.path.join(BUILD, "bin", "playbooks-eval")
HERE = os.path.join(SOURCE, "tests", "playbooks")
BESIDE = os.path.join(SOURCE, "..", "shared", "data")

# nDCG@10, rounded down.
FLOORS_OWN = {"ALL": 0.97, "typo": 0.99}
FLOORS_BESIDE = {"ALL": 0.92, "typo": 0.97, "paraphrase": 0.79, "acronym": 0.97}


def check(name, corpus, queries, judgments, floors):
    result = playbooks_eval.evaluate(PROGRAM, corpus, queries, judgments)
    for line in playbooks_eval.table(result).splitlines():
        print("# " + line)
    for style, floor in floors.items():
        tap.ok(f"{name}: {style} is at {floor} or above", result[style][1] >= floor, result[style])


def test_scoring():
    """By hand: two relevant, found in the second and the fourth place."""
    ndcg, recall, first = playbooks_eval.score(["x", "a", "y", "b"], {"a": 2, "b": 1})
    tap.ok("nDCG", abs(ndcg - (3 / 1.5849625 + 1 / 2.3219281) / (3 + 1 / 1.5849625)) < 1e-6, ndcg)
    tap.equal("recall and rank", (recall, first), (1.0, 0.5))
    tap.equal("nothing found", playbooks_eval.score([], {"a": 2}), (0.0, 0.0, 0.0))


def test_own():
    check("sample", os.path.join(SOURCE, "deploy", "sample", "playbooks"),
          os.path.join(HERE, "queries.jsonl"), os.path.join(HERE, "qrels.tsv"), FLOORS_OWN)


def test_beside():
    check("beside", os.path.join(BESIDE, "playbooks"), os.path.join(BESIDE, "queries.jsonl"),
          os.path.join(BESIDE, "qrels.tsv"), FLOORS_BESIDE)


if __name__ == "__main__":
    tests = [test_scoring, test_own]
    if os.path.isdir(os.path.join(BESIDE, "playbooks")):
        tests.append(test_beside)
    else:
        tap.skip("the judged corpus beside the checkout", "it is not there")
    tap.run(tests)
    tap.done()
