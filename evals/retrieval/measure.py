"""Measures how often the shelf finds the section that answers, and at which place."""

import math
import sys
import tempfile
from pathlib import Path

import yaml

from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.diagnosis.lsa import LsaLearner
from agentops_graph.ports import Shelf

HERE = Path(__file__).parent
RUNBOOKS = HERE.parent.parent / "runbooks"
LOOKED_AT = 10


def ranks(shelf: Shelf) -> dict[str, int | None]:
    """For each query the place of the first right section, None when it is not in the first ten."""
    found: dict[str, int | None] = {}
    for case in yaml.safe_load((HERE / "queries.yaml").read_text(encoding="utf-8")):
        pages = shelf.search(
            case["query"],
            kind=case.get("kind"),
            alert_type=case.get("alert_type"),
            limit=LOOKED_AT,
        )
        right = (
            n for n, p in enumerate(pages, 1) if p.reference.startswith(tuple(case["expects"]))
        )
        found[case["query"]] = next(right, None)
    return found


def figures(places: dict[str, int | None]) -> dict[str, float]:
    """Share found at the first place, within three, five and ten, the mean of 1 / place, and the
    mean gain where one right section is enough."""
    total = len(places)
    reached = [place for place in places.values() if place is not None]
    return {
        "hit@1": sum(place == 1 for place in reached) / total,
        "hit@3": sum(place <= 3 for place in reached) / total,
        "hit@5": sum(place <= 5 for place in reached) / total,
        "hit@10": len(reached) / total,
        "mrr": sum(1 / place for place in reached) / total,
        "ndcg": sum(1 / math.log2(place + 1) for place in reached) / total,
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shelf = SqliteShelf(Path(folder) / "knowledge.db", [RUNBOOKS], LsaLearner())
        places = ranks(shelf)
        shelf.close()
    for query, place in places.items():
        if place is None or place > 3:
            print(f"{place or '>10'!s:>4}  {query}")
    print("  ".join(f"{name} {figure:.2f}" for name, figure in figures(places).items()))


if __name__ == "__main__":
    sys.exit(main())
