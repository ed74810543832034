"""Detached work is well, silent or overdue; and people are told which, in words."""

from datetime import UTC, datetime

import pytest

from agentops_graph.domain.action import RerunPipeline
from agentops_graph.domain.effect import Writer
from agentops_graph.domain.ledger import Work
from agentops_graph.domain.policy import Policy
from agentops_graph.domain.standing import in_words, spoken, standing, why_lost

AT = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = Policy(work_deadline_s=4 * 3600, work_silent_s=600)


def work(**changes):
    return Work(
        **{
            "key": "A-7:do",
            "action": RerunPipeline(pipeline="orders", window_from=AT, window_until=AT),
            "incident_id": "INC-1",
            "entry_point": "team:rerun",
            "state": "running",
            "writer": Writer(host="node-3", boot_id="b", pid=7, started="1"),
            "share": 0.4,
            "progress": "4 of 10 batches",
            "silent_s": 2.0,
            "whereabouts": "out_of_reach",
            "opened_at": AT,
        }
        | changes
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "well"),
        ({"silent_s": 599}, "well"),
        ({"silent_s": 600}, "silent"),
        ({"ran_s": 14399, "silent_s": 2}, "overdue"),
        ({"ran_s": 14399, "silent_s": 2, "longest_s": 20000}, "well"),
        ({"ran_s": 50, "longest_s": 40}, "overdue"),
        ({"silent_s": None, "ran_s": 99999}, "well"),
        ({"state": "lost", "ran_s": 99999}, "well"),
    ],
)
def test_silence_counts_from_the_last_heartbeat_and_the_deadline_from_the_claim(changes, said):
    assert standing(work(**changes), POLICY) == said


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        (
            {"silent_s": 720},
            "the rerun of A-7 has said nothing for 12 minutes; its host node-3 can't be asked",
        ),
        ({"silent_s": 720, "whereabouts": "here"}, None),  # it may be told to end in its time
        ({"silent_s": 720, "whereabouts": "gone"}, None),  # that is a failure, and no doubt
        (
            {"whereabouts": "gone", "done_by": "models.example", "error": "told to end"},
            "the process that followed the rerun of A-7 at models.example is gone (told to end); "
            "whether models.example goes on with it is not known",
        ),
        ({"ran_s": 14400}, None),  # a runner on its own host may end it
        (
            {"ran_s": 15300},
            "the rerun of A-7 has been running for 4 h 15 min and may run for 4 h, and its process "
            "on node-3 is out of reach",
        ),
        (
            {"ran_s": 15300, "whereabouts": "here"},
            "the rerun of A-7 has been running for 4 h 15 min and may run for 4 h, and its process "
            "on node-3 did not end",
        ),
    ],
)
def test_a_person_gets_what_nobody_can_know_or_end(changes, why):
    assert why_lost(work(**changes), POLICY) == why


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "the rerun of A-7: 40% 4 of 10 batches"),
        ({"progress": ""}, "the rerun of A-7: 40%"),
        ({"silent_s": 720}, "the rerun of A-7: 40% 4 of 10 batches; silent for 12 minutes"),
        ({"ran_s": 18000}, "the rerun of A-7: 40% 4 of 10 batches; overdue, running for 5 h"),
    ],
)
def test_one_line_says_how_far_it_is_and_what_is_wrong(changes, line):
    assert in_words(work(**changes), POLICY) == line


def test_times_are_said_as_people_say_them():
    assert [spoken(s) for s in (0, 60, 3599, 3600, 3660)] == [
        "0 minutes",
        "1 minute",
        "59 minutes",
        "1 h",
        "1 h 1 min",
    ]
