"""The chat's evaluation is on questions of every kind, and its aims hold."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HALVES = ("design", "seen", "held_back", "blind")


def turns(halves=HALVES):
    files = [ROOT / "evals" / "chat" / f"{half}.yaml" for half in halves]
    return [t for f in files for c in yaml.safe_load(f.read_text()) for t in c]


def test_there_are_many_questions_and_each_can_be_checked():
    asked = [turn["ask"] for turn in turns()]
    assert len(asked) >= 120
    assert all(turn["says"] for turn in turns())
    assert len(asked) - len(set(asked)) <= 3  # the same words in other conversations


def test_no_question_is_in_two_halves():
    halves = [
        {
            t["ask"]
            for c in yaml.safe_load((ROOT / "evals/chat" / f"{h}.yaml").read_text())
            for t in c
        }
        for h in HALVES
    ]
    assert (halves[2] | halves[3]) & (halves[0] | halves[1]) == set()
    assert halves[2] & halves[3] == set()
    assert len(halves[3]) >= 30


@pytest.mark.slow
def test_the_aims_of_the_chat_hold():
    run = subprocess.run(
        [sys.executable, "-m", "evals.chat", "--json"], cwd=ROOT, capture_output=True, text=True
    )
    told = json.loads(run.stdout)
    assert told["failed"] == []
    assert told["figures"]["all"]["share"] >= 0.95
