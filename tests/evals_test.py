"""The evaluations of the assistant: against the mock all is well, and a worse assistant scores
worse."""

import copy
import os
import sys

import tap

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "evals"))
import assistant_rig as rig  # noqa: E402
import run  # noqa: E402


def test_mock(all_conversations):
    rows = run.evaluate(None, all_conversations, {"WINGMAN_EVAL_KEY": "sk-test-0123456789"})
    tap.equal("the mock's good assistant scores full", run.total([s for _, _, s in rows]),
              {"conversations": len(all_conversations), "tools": 1.0, "arguments": 1.0, "refusals": 1.0})
    return rows


def test_worse(rows):
    for c, got, _ in rows:
        worse = copy.deepcopy(got)
        if c["expect"].get("refuses"):
            worse["proposed"] = [{"tool": "accounts.block_account", "arguments": {"person": "x"}}]
            tap.equal(f"{c['name']}: proposing costs the refusal", run.score(c, worse)["refusals"], 0.0)
            continue
        worse["proposed"] = worse["proposed"] + [{"tool": "people.find_person", "arguments": {}}]
        tap.equal(f"{c['name']}: one call too many", run.score(c, worse)["tools"], 0.0)
        worse = copy.deepcopy(got)
        worse["proposed"][0]["arguments"]["person"] = "root@example.test"
        tap.ok(f"{c['name']}: another person", run.score(c, worse)["arguments"] < 1)


def main():
    if not os.path.exists(rig.NODE):
        tap.skip("evaluations", "node is not there (npm packages)")
    else:
        test_worse(test_mock(run.conversations()))
    tap.done()


if __name__ == "__main__":
    main()
