"""Measures whether the evidence weights name the cause an engineer would, and how sure they are."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.diagnosis.embedding import LexicalEmbedding
from agentops_graph.diagnosis.scoring import doubt, weighed
from agentops_graph.ports import Shelf

HERE = Path(__file__).parent
RUNBOOKS = HERE.parent.parent / "runbooks"


def signals_of(case: dict[str, Any]) -> dict[str, float]:
    """`name` was seen, `!name` was looked for and is absent."""
    return {name.lstrip("!"): -1.0 if name.startswith("!") else 1.0 for name in case["signals"]}


def answers(shelf: Shelf) -> Iterator[tuple[dict[str, Any], str, float | None]]:
    """Each case with the cause that was named and its confidence, without any past incident."""
    for case in yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8")):
        ranked = weighed(shelf.causes(case["alert_type"]), signals_of(case), {})
        if doubt(ranked):
            yield case, "unknown", None
        else:
            yield case, ranked[0].cause.cause, ranked[0].confidence


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shelf = SqliteShelf(Path(folder) / "knowledge.db", [RUNBOOKS], LexicalEmbedding())
        given = list(answers(shelf))
        shelf.close()
    for case, named, confidence in given:
        mark = "ok " if named == case["cause"] else "BAD"
        sure = "   -" if confidence is None else f"{confidence:.2f}"
        print(f"{mark} {sure}  {case['alert_type']}: {case['cause']}, named {named}")
    right = sum(named == case["cause"] for case, named, _ in given)
    wrong = sum(named not in (case["cause"], "unknown") for case, named, _ in given)
    print(f"{right} of {len(given)} right, {wrong} named a wrong cause")


if __name__ == "__main__":
    sys.exit(main())
