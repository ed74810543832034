"""What is at stake, in the words people get up for."""

import pytest
from pydantic import ValidationError

from agentops_graph.domain.component import Component
from agentops_graph.domain.stakes import Extent, Stakes, in_words


def test_money_is_said_by_the_hour_with_its_interval():
    stakes = Stakes(money=Extent(value=311.2, low=208.7, high=424.0))
    assert stakes.money_line == "Costs about EUR 310 an hour (210 to 420)"


def test_an_estimate_says_that_it_is_one():
    stakes = Stakes(
        metric="f1",
        loss=Extent(value=0.123, low=0.05, high=0.3),
        money=Extent(value=12.0, low=-3.0, high=31.0),
        currency="USD",
        is_estimated=True,
    )
    assert stakes.lines == (
        "Costs about USD 12 an hour (0 to 31), estimated without labels",
        "F1 is estimated, without labels, to be worse by 0.12 (0.05 to 0.3)",
    )


def test_what_costs_less_than_usual_costs_nothing_that_can_be_told():
    stakes = Stakes(money=Extent(value=-5.0, low=-20.0, high=9.6))
    assert stakes.money_line == "Costs nothing that can be told (up to EUR 9.6 an hour)"


def test_a_metric_that_gained_is_no_worse_and_how_bad_it_may_be_is_said():
    stakes = Stakes(metric="f1", loss=Extent(value=-0.02, low=-0.05, high=0.01))
    assert stakes.loss_line == "F1 is no worse (at most by 0.01)"


@pytest.mark.parametrize("is_estimated", [True, False])
def test_figures_of_an_alert_are_read_back_as_they_were(is_estimated):
    stakes = Stakes(
        metric="macro_f1",
        loss=Extent(value=0.2, low=0.1, high=0.3),
        money=Extent(value=5.0, low=1.0, high=9.0),
        currency="CHF",
        is_estimated=is_estimated,
    )
    assert Stakes.among(stakes.figures | {"drift_score": 0.4}) == stakes


def test_an_alert_without_such_figures_has_nothing_at_stake():
    assert Stakes.among({"drift_score": 0.47, "requests_per_hour": 3.0}).lines == ()


@pytest.mark.parametrize(
    ("sum_", "said"), [(0.0, "0"), (0.042, "0.042"), (1.26, "1.3"), (9.99, "10"), (1234.0, "1,200")]
)
def test_sums_have_two_figures(sum_, said):
    assert in_words(sum_) == said


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"costs": {}}, "at least one"),
        ({"costs": {"per_unit_error": 3}}, "false_positive and false_negative"),
        ({"task": "regression", "costs": {"false_positive": 3}}, "per_unit_error"),
        ({"task": "ranking", "costs": {"per_unit_error": 3}}, "have no price"),
        ({"kind": "pipeline", "costs": {"false_positive": 3}}, "a pipeline makes no errors"),
        ({"costs": {"false_positive": -1}}, "greater than or equal to 0"),
        ({"costs": {"false_positive": 1, "currency": "euro"}}, "currency"),
    ],
)
def test_costs_that_no_error_could_have_are_refused(given, why):
    with pytest.raises(ValidationError, match=why):
        Component(name="m", **given)
