"""The product's scorers as MLflow's, so that an evaluation and the live sample mean the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agentops_graph.detection.text_scorers import SCORERS
from agentops_graph.domain.outputs import Exchange

if TYPE_CHECKING:
    from mlflow.genai.scorers import Scorer

QUESTION = ("query", "question", "request", "input", "prompt")
ANSWER = ("response", "answer", "content", "output", "text")
EXPECTED = ("expected_response", "expected", "expected_answer", "answer")
CONTEXT = ("context", "retrieved_context", "sources")


def mlflow_scorers(names: tuple[str, ...] = tuple(SCORERS)) -> list[Scorer]:
    """For `mlflow.genai.evaluate(scorers=...)`. A row that can't be judged, such as one without an
    expected answer for `correctness`, has no value."""
    return [_scorer(name) for name in names]


def exchange_of(inputs: Any, outputs: Any, expectations: Any) -> Exchange:
    """The texts of one evaluated row, whichever of the usual shapes it has."""
    return Exchange(
        request=_text(inputs, QUESTION),
        response=_text(outputs, ANSWER),
        context=_text(expectations, CONTEXT, named=True) or _text(inputs, CONTEXT, named=True),
        expected=_text(expectations, EXPECTED, named=True),
    )


def _scorer(name: str) -> Scorer:
    from mlflow.genai.scorers import scorer

    judge = SCORERS[name]

    def judged(inputs: Any = None, outputs: Any = None, expectations: Any = None) -> float | None:
        return judge(exchange_of(inputs, outputs, expectations))

    found: Scorer = scorer(judged, name=name)
    return found


def _text(value: Any, names: tuple[str, ...], *, named: bool = False) -> str:
    """The text under the first of the names; of messages the last one; else the value itself."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        for name in names:
            if value.get(name) is not None:
                return _text(value[name], names)
        if named:
            return ""
        if value.get("messages"):
            return _text(value["messages"][-1], ("content",))
        return json.dumps(value, default=str)
    if isinstance(value, list) and value and isinstance(value[-1], Mapping):
        return _text(value[-1], ("content", *names))
    return value if isinstance(value, str) else json.dumps(value, default=str)
