"""The third-party web shop with injected faults, scored as its own scorer does."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from agentops_graph import rank_root_causes

PROJECT = Path(__file__).parents[2]
PUBLISHED = {  # of the 26 issues with normal-time metrics, as the set's README gives them
    "largest z score": (0.31, 0.58, 0.69),
    "deepest anomalous service": (0.23, 0.62, 0.85),
}


@dataclass(frozen=True)
class Issue:
    name: str
    scenario: str
    symptom: tuple[str, str]
    at: float
    cause: str
    frame: pd.DataFrame
    normal: pd.DataFrame | None
    calls: tuple[tuple[str, str], ...]


def folder() -> Path | None:
    """Where the set is; None where it is not there."""
    root = Path(os.environ.get("AGENTOPS_EVAL_DATA", PROJECT.parent / "shared" / "data"))
    found = root / "rca" / "petshop"
    return found if (found / "issues.jsonl").exists() else None


def issues(where: Path) -> list[Issue]:
    """Every issue, with its scenario's call graph and normal-time metrics."""
    lines = (where / "issues.jsonl").read_text().splitlines()
    return [_issue(where, json.loads(line)) for line in lines]


def _issue(where: Path, told: dict[str, Any]) -> Issue:
    target = told["target"]
    normal, calls = _scenario(where / told["scenario"])
    return Issue(
        name=told["issue"],
        scenario=told["scenario"],
        symptom=(target["node"], target["metric"]),
        at=float(target["timestamp"]),
        cause=told["root_cause"]["node"],
        frame=_metrics(where / told["issue"]),
        normal=normal,
        calls=calls,
    )


@cache
def _scenario(where: Path) -> tuple[pd.DataFrame | None, tuple[tuple[str, str], ...]]:
    graph = pd.read_csv(where / "graph.csv", index_col=0)
    calls = tuple((str(a), str(b)) for a in graph.index for b in graph.columns if graph.loc[a, b])
    known = (where / "noissue").exists()
    return _metrics(where / "noissue") if known else None, calls


def _metrics(where: Path) -> pd.DataFrame:
    return pd.read_csv(where / "metrics.csv.gz", header=[0, 1, 2], index_col=0)


def ranked(issue: Issue) -> list[str]:
    """With the shipped defaults."""
    found = rank_root_causes(
        issue.frame, issue.at, normal=issue.normal, calls=issue.calls, symptom=issue.symptom
    )
    return found.names


def without_graph(issue: Issue) -> list[str]:
    return rank_root_causes(issue.frame, issue.at, normal=issue.normal).names


def places(
    many: list[Issue], answer: Callable[[Issue], list[str]] = ranked
) -> tuple[list[int], float]:
    """The true service's place in each answer, and seconds a case."""
    begun = time.perf_counter()
    answers = [answer(issue) for issue in many]
    seconds = (time.perf_counter() - begun) / max(len(many), 1)
    found = [
        names.index(issue.cause) if issue.cause in names else 99
        for issue, names in zip(many, answers, strict=True)
    ]
    return found, seconds


def groups(many: list[Issue]) -> dict[str, list[Issue]]:
    """All with and without normal-time metrics, and each scenario by what was noticed."""
    found: dict[str, list[Issue]] = {}
    for issue in many:
        known = "with" if issue.normal is not None else "without"
        found.setdefault(f"{known} normal-time metrics", []).append(issue)
    for issue in many:
        found.setdefault(f"{issue.scenario}, {issue.symptom[1]}", []).append(issue)
    return found
