"""One model of every task, from its data to the alert."""

import pytest

from evals.detection.every_task import TASKS, outcome


def test_every_task_that_a_metric_may_have_is_there():
    from typing import get_args

    from agentops_graph.domain.metric import Task

    assert set(TASKS) == set(get_args(Task))


@pytest.mark.parametrize("task", ["binary", "text", "agent"])
def test_a_healthy_hour_is_silent_and_a_degraded_one_is_found(task):
    found = outcome(task, 1)
    assert (found["false"], found["found"]) == (0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_healthy_hours_are_silent_and_degraded_ones_are_found(task):
    found = outcome(task, 5)
    assert (found["false"], found["found"]) == (0, 1)
