"""Approvers, rejecters and runners of several processes race: one decision, at most one effect."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from agentops_graph.adapters.memory import RecordingActuator
from tests.races.rounds import PEOPLE, open_ledger

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def raced(home, rounds, quorum=1):
    """What every process saw, by approval."""
    home.mkdir()
    subprocess.run(
        [sys.executable, "-m", "tests.races.rounds", str(home), str(rounds), str(quorum)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=300,
        check=True,
    )
    seen = {}
    for number in range(PEOPLE):
        for line in (home / f"person-{number}.jsonl").read_text().splitlines():
            told = json.loads(line)
            seen.setdefault(told["approval_id"], []).append(told)
    return seen


def in_audit(ledger):
    """How often the audit says what of which approval."""
    told = Counter()
    for row in ledger.audit.rows(limit=1_000_000):
        fields = json.loads(row["fields"])
        subject = fields.get("approval_id") or str(fields.get("key", "")).split(":")[0]
        told[subject, row["what"]] += 1
    return told


@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_of_racing_decisions_one_wins_and_only_what_was_approved_happens_once(tmp_path, rounds):
    home = tmp_path / "home"
    seen = raced(home, rounds)
    ledger, done = open_ledger(home), RecordingActuator(home / "effects.txt").keys
    audit, verdicts = in_audit(ledger), Counter()
    assert len(seen) == rounds
    for approval_id, told in seen.items():
        (winner,) = [one for one in told if one["decided"] in ("approved", "rejected")]
        losers = [one["decided"] for one in told if one is not winner]
        assert losers == ["ConflictError"] * (PEOPLE - 1)
        held = ledger.approvals.get(approval_id)
        assert (held.status, held.decided_by) == (winner["decided"], winner["who"])
        is_approved = held.status == "approved"
        ran = {one["ran"] for one in told}
        assert ran == (
            {"done"} if is_approved else {"refused: no approval with this digest stands"}
        )
        assert done.count(f"{approval_id}:do") == int(is_approved)
        assert audit[approval_id, f"approval.{held.status}"] == 1
        assert (
            audit[approval_id, "approval.approved"] + audit[approval_id, "approval.rejected"] == 1
        )
        assert audit[approval_id, "effect.intent"] == audit[approval_id, "effect.done"]
        assert audit[approval_id, "effect.intent"] == int(is_approved)
        verdicts[held.status] += 1
    assert len(done) == verdicts["approved"]
    assert min(verdicts["approved"], verdicts["rejected"]) > 0
    assert ledger.audit.verify() is None


@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_of_racing_votes_two_approve_or_one_refuses_and_no_vote_is_lost(tmp_path, rounds):
    home = tmp_path / "home"
    seen = raced(home, rounds, quorum=2)
    ledger, done = open_ledger(home), RecordingActuator(home / "effects.txt").keys
    audit, verdicts = in_audit(ledger), Counter()
    for approval_id, told in seen.items():
        held = ledger.approvals.get(approval_id)
        answers = Counter(one["decided"] for one in told)
        assert answers["approved"] + answers["rejected"] == 1
        assert answers["ConflictError"] == PEOPLE - 1 - answers["pending"]
        assert answers["pending"] == audit[approval_id, "approval.voted"] <= 1
        spoke = {one["who"] for one in told if one["decided"] != "ConflictError"}
        assert {vote.actor for vote in held.votes} == spoke
        is_approved = held.status == "approved"
        assert len(held.approvers) == 2 if is_approved else len(held.approvers) < 2
        assert done.count(f"{approval_id}:do") == int(is_approved)
        assert audit[approval_id, f"approval.{held.status}"] == 1
        verdicts[held.status] += 1
    assert len(seen) == rounds
    assert min(verdicts["approved"], verdicts["rejected"]) > 0
    assert ledger.audit.verify() is None
