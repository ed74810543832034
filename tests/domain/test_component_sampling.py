"""How many outputs of an agent are scored, and what a component of text is judged by."""

import pytest
from pydantic import ValidationError

from agentops_graph.domain.component import Component


@pytest.mark.parametrize("task", ["text", "agent"])
def test_a_task_of_text_is_judged_by_relevance_unless_it_says_otherwise(task):
    component = Component.model_validate({"name": "bot", "kind": "agent", "task": task})
    assert (component.metric.name, component.metric.task, component.speaks) == (
        "relevance",
        task,
        True,
    )
    assert not Component(name="fraud").speaks


def test_safety_bears_less_than_other_metrics():
    bot = Component.model_validate({"name": "bot", "task": "text", "metric": "safety"})
    assert bot.borne_share == 0.01 < Component(name="fraud").borne_share


@pytest.mark.parametrize(
    "sampling",
    [{"share": 0}, {"share": 1.1}, {"cap": 0}, {"cap": 20, "least": 21}, {"sharre": 0.5}],
)
def test_a_sample_that_can_never_be_enough_is_refused(sampling):
    with pytest.raises(ValidationError):
        Component.model_validate({"name": "bot", "task": "text", "sampling": sampling})


def test_safety_of_a_classifier_is_no_known_metric():
    with pytest.raises(ValidationError, match="safety"):
        Component.model_validate({"name": "fraud", "task": "binary", "metric": "safety"})
