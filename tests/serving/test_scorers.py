"""MLflow's evaluation scores with the very functions of the live sample."""

import pytest

from agentops_graph.detection.text_scorers import SCORERS
from agentops_graph.domain.outputs import Exchange
from agentops_graph.serving.scorers import exchange_of, mlflow_scorers

PARIS = {"inputs": {"query": "capital of France?"}, "outputs": "Paris is the capital of France"}


@pytest.mark.parametrize("judge", mlflow_scorers(), ids=lambda judge: judge.name)
def test_each_scorer_gives_the_score_of_its_function(judge):
    expectations = {"expected_response": "Paris", "context": "Paris, the capital"}
    exchange = Exchange(
        "capital of France?", "Paris is the capital of France", "Paris, the capital", "Paris"
    )
    assert judge.run(**PARIS, expectations=expectations) == SCORERS[judge.name](exchange) == 1.0


@pytest.mark.parametrize(
    ("inputs", "outputs", "request_", "response"),
    [
        ("why?", "because", "why?", "because"),
        ({"question": "why?"}, {"answer": "because"}, "why?", "because"),
        (
            {"messages": [{"role": "user", "content": "why?"}]},
            {"messages": [{"role": "assistant", "content": "because"}]},
            "why?",
            "because",
        ),
        ([{"role": "user", "content": "why?"}], None, "why?", ""),
        ({"n": 1}, 7, '{"n": 1}', "7"),
    ],
)
def test_rows_of_the_usual_shapes_are_read(inputs, outputs, request_, response):
    found = exchange_of(inputs, outputs, None)
    assert (found.request, found.response, found.expected) == (request_, response, "")


def test_a_row_that_cannot_be_judged_has_no_value():
    (correctness,) = mlflow_scorers(("correctness",))
    assert correctness.run(**PARIS, expectations={}) is None
