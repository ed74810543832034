"""A text task and an agent task with models that are really fitted, for the evals of detection."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from agentops_graph.detection.words import content, sentences
from agentops_graph.domain.component import Component
from agentops_graph.domain.outputs import Calls, Exchange

TOOLS = {
    "refund_order": ["refund order {n}", "customer wants money back for order {n}", "return {n}"],
    "track_parcel": ["where is parcel {n}", "parcel {n} has not arrived", "track delivery {n}"],
    "reset_password": ["account {n} can't log in", "reset the password of account {n}"],
    "cancel_plan": ["cancel the plan of account {n}", "stop the subscription {n} at month's end"],
    "update_address": ["new address for account {n}", "account {n} moved to another town"],
}
OPENINGS = ("", "please ", "hello, ", "urgent: ", "it's me again, ")


@dataclass(frozen=True)
class Spoken:
    """A component whose outputs are texts: `say(rng, count, degraded)` gives its exchanges."""

    component: Component
    data: str
    fault: str
    say: Callable[[np.random.Generator, int, bool], list[Exchange]]

    def logged(
        self, since: datetime, until: datetime, count: int, seed: int, degraded: bool
    ) -> tuple[Calls, dict[str, Exchange]]:
        """Requests and texts between two times; two per session, 2% of them failed."""
        rng = np.random.default_rng([seed, degraded])
        said = self.say(rng, count, degraded)
        ids = [f"{seed}-{int(degraded)}-{n}" for n in range(count)]
        failed = (rng.random(count) < 0.02) * 1.0
        none = np.full(count, np.nan)
        calls = Calls(
            ids=ids,
            timestamps=np.linspace(since.timestamp(), until.timestamp() - 1, count),
            version=["1"] * count,
            session=[f"{seed}-{n // 2}" for n in range(count)],
            provider=[("east", "west")[n % 2] for n in range(count)],
            failure=["time-out" if bad else "" for bad in failed],
            failed=failed,
            retries=np.zeros(count),
            latency_ms=rng.lognormal(5.5, 0.4, count),
            cost=rng.lognormal(-4.5, 0.5, count),
            tokens=rng.lognormal(6, 0.4, count),
            progress=none,
            false_positive=none,
        )
        return calls, dict(zip(ids, said, strict=True))


def text_task() -> Spoken:
    """Questions answered from the nearest passage by TF-IDF; a stale index answers from others."""
    from sklearn.datasets import (
        load_breast_cancer,
        load_diabetes,
        load_digits,
        load_iris,
        load_wine,
    )
    from sklearn.feature_extraction.text import TfidfVectorizer

    tables = (load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine)
    prose = "\n".join(load().DESCR for load in tables).replace("\n\n", ". ").replace("\n", " ")
    passages = sorted({each.strip() for each in sentences(prose) if len(content(each)) >= 8})
    index = TfidfVectorizer().fit(passages)
    vectors = index.transform(passages)

    meant = [sorted(content(passage)) for passage in passages]

    def say(rng, count, degraded):
        chosen = rng.integers(0, len(passages), count)
        asked = [
            f"What is said about {' '.join(rng.choice(meant[row], 5, replace=False))}?"
            for row in chosen
        ]
        nearest = (index.transform(asked) @ vectors.T).toarray().argmax(axis=1)
        if degraded:  # entries that point one passage too far
            nearest = (nearest + (rng.random(count) < 0.3)) % len(passages)
        found = [passages[row] for row in nearest]
        return [Exchange(q, p[:300], p) for q, p in zip(asked, found, strict=True)]

    component = Component.model_validate(
        {"name": "it", "task": "text", "other_metrics": ["safety", "groundedness"]}
    )
    return Spoken(component, "descriptions of data sets", "30% of the index off by one", say)


def agent_task() -> Spoken:
    """Requests turned into tool calls as JSON; cut requests lead to wrong tools."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    def asked(rng, count):
        names = rng.choice(list(TOOLS), count)
        numbers = rng.integers(1000, 9999, count)
        texts = [
            rng.choice(OPENINGS) + rng.choice(TOOLS[name]).format(n=number)
            for name, number in zip(names, numbers, strict=True)
        ]
        return names, numbers, texts

    names, _, texts = asked(np.random.default_rng(7), 600)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10.0)).fit(texts, names)

    def say(rng, count, degraded):
        names, numbers, texts = asked(rng, count)
        seen = [text[:14] for text in texts] if degraded else texts
        calls = '{{"tool": "{}", "arguments": {{"number": {}}}}}'
        return [
            Exchange(text, calls.format(tool, number), "", calls.format(name, number))
            for text, tool, name, number in zip(
                texts, model.predict(seen), names, numbers, strict=True
            )
        ]

    component = Component.model_validate(
        {"name": "it", "kind": "agent", "task": "agent", "metric": "correctness"}
    )
    return Spoken(component, "generated tickets", "requests cut at 14 characters", say)
