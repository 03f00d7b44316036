"""How good the search of playbooks is, by style of query.

    playbooks_eval.py PROGRAM [CORPUS QUERIES.jsonl QRELS.tsv]

Without a corpus, the sets that the project knows are measured, each by itself: see SETS.

Queries are lines {id, query, style}; judgments lines 'query id, document, heading, grade'
(tab separated; 2 answers it, 1 helps). nDCG@10 has gain 2^grade - 1 and discount
log2(rank + 1); recall@5 is the share of the relevant in the first five, of at most five;
MRR one over the rank of the first relevant. A document in the judgments may carry the
name of the corpus' own folder in front.
"""

import json
import math
import os
import subprocess
import sys
from collections import defaultdict

TOP, FEW = 10, 5

HERE = os.path.dirname(os.path.abspath(__file__))
PUBLIC = os.path.join(HERE, "..", "..", "shared", "data")
OURS = os.path.join(HERE, "playbooks")

# name: (corpus, folder of queries.jsonl and qrels.tsv). Queries and judgments of 'own' and
# 'public' were written before their author had read the ranking or its tables of words;
# those tables repeat no judged query of any set (playbooks_eval_test.py). The public pages
# and the sixty queries stand beside the checkout, or are missing.
SETS = {
    "sample": (os.path.join(HERE, "..", "deploy", "sample", "playbooks"), OURS),
    "own": (os.path.join(OURS, "judged", "pages"), os.path.join(OURS, "judged")),
    "public": (os.path.join(PUBLIC, "playbooks"), os.path.join(OURS, "public")),
    "sixty": (os.path.join(PUBLIC, "playbooks"), PUBLIC),
}


def sets():
    """(name, corpus, queries, judgments) of those that are there."""
    for name, (corpus, folder) in SETS.items():
        queries = os.path.join(folder, "queries.jsonl")
        if os.path.isdir(corpus) and os.path.exists(queries):
            yield name, corpus, queries, os.path.join(folder, "qrels.tsv")


def read_queries(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def read_judgments(path, corpus):
    prefix = os.path.basename(os.path.normpath(corpus)) + "/"
    grades = defaultdict(dict)
    with open(path, encoding="utf-8") as f:
        for line in f:
            query, document, _, grade = (line.rstrip("\n").split("\t") + [""] * 4)[:4]
            if not grade.isdigit():
                continue  # the head of the table
            if document.startswith(prefix) and not os.path.exists(os.path.join(corpus, document)):
                document = document[len(prefix):]
            grades[query][document] = max(int(grade), grades[query].get(document, 0))
    return grades


def run(program, corpus, queries):
    done = subprocess.run([program, corpus, queries], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"playbooks-eval failed: {done.stderr[-500:]}")
    found = defaultdict(list)
    for line in done.stdout.splitlines():
        query, _, document, *_ = line.split("\t")
        if document not in found[query]:
            found[query].append(document)
    return found


def score(found, grades):
    gain = lambda grade: 2 ** grade - 1
    best = sum(gain(g) / math.log2(i + 2)
               for i, g in enumerate(sorted(grades.values(), reverse=True)[:TOP]))
    reached = sum(gain(grades.get(d, 0)) / math.log2(i + 2) for i, d in enumerate(found[:TOP]))
    relevant = {d for d, g in grades.items() if g > 0}
    first = next((1 / (i + 1) for i, d in enumerate(found) if d in relevant), 0.0)
    recall = len(relevant & set(found[:FEW])) / min(FEW, len(relevant)) if relevant else 0.0
    return (reached / best if best else 0.0, recall, first)


def evaluate(program, corpus, queries, judgments):
    """{style: (how many, nDCG@10, recall@5, MRR)}, 'ALL' among them."""
    found = run(program, corpus, queries)
    grades = read_judgments(judgments, corpus)
    styles = defaultdict(list)
    for q in read_queries(queries):
        s = score(found[q["id"]], grades.get(q["id"], {}))
        styles[q["style"]].append(s)
        styles["ALL"].append(s)
    return {style: (len(rows),) + tuple(sum(c) / len(rows) for c in zip(*rows))
            for style, rows in styles.items()}


def table(result):
    lines = ["%-12s %5s %8s %8s %8s" % ("style", "n", "nDCG@10", "R@5", "MRR")]
    for style in sorted(s for s in result if s != "ALL") + ["ALL"]:
        lines.append("%-12s %5d %8.4f %8.4f %8.4f" % ((style,) + result[style]))
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) == 5:
        print(table(evaluate(*sys.argv[1:])))
    elif len(sys.argv) == 2:
        for name, *where in sets():
            print(f"{name}:\n{table(evaluate(sys.argv[1], *where))}")
        for name in SETS.keys() - {name for name, *_ in sets()}:
            print(f"{name}: not there")
    else:
        raise SystemExit(__doc__)
