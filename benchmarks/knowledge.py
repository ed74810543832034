"""Ingest, search time and memory of the knowledge at 100,000 sections.

python -m benchmarks.knowledge [--sections N] [--queries N]
Documents are drawn from a vocabulary whose words are as unequal as those of a language (Zipf), and
queries are alert texts made of words of one section with some of any other.
"""

import argparse
import random
import string
import tempfile
import time
from itertools import accumulate
from pathlib import Path
from typing import Self

from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.diagnosis.lsa import LsaLearner
from benchmarks.peak import peak_mb

WORDS = 40_000
SECTIONS_EACH = 8
WORDS_EACH = 90
LEARNING = 20


class Language:
    """Words of made-up syllables, the commonest of them far commoner than the rest."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        syllables = [a + b for a in "bcdfgklmnprstvz" for b in "aeiou"]
        self._words = [
            "".join(self._random.choices(syllables, k=self._random.randint(2, 4)))
            + self._random.choice(string.ascii_lowercase)
            for _ in range(WORDS)
        ]
        self._weights = list(accumulate(1 / (rank + 2.7) for rank in range(WORDS)))

    def words(self, number: int) -> list[str]:
        return self._random.choices(self._words, cum_weights=self._weights, k=number)


def written(folder: Path, sections: int, language: Language) -> list[list[str]]:
    """Writes the documents; returns the words of some sections."""
    kept = []
    for number in range(sections // SECTIONS_EACH):
        parts = [f"# {' '.join(language.words(4)).title()}\n"]
        for _ in range(SECTIONS_EACH):
            words = language.words(WORDS_EACH)
            parts.append(f"## {' '.join(language.words(3))}\n\n{' '.join(words)}\n")
            kept.append(words)
        place = folder / f"{number // 500:03}"
        place.mkdir(exist_ok=True)
        (place / f"runbook_{number}.md").write_text("\n".join(parts), encoding="utf-8")
    return kept


class Clocks:
    """Wall and processor milliseconds of one call."""

    def __enter__(self) -> Self:
        self._began, self._worked = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = (time.perf_counter() - self._began) * 1000
        self.cpu = (time.process_time() - self._worked) * 1000


def measured(sections: int, queries: int) -> dict[str, float]:
    """Figures by name; the unit is in the name."""
    language = Language(7)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "runbooks"
        folder.mkdir()
        # Only some are asked for: kept whole, the benchmark's own words outweighed the shelf.
        kept = written(folder, sections, language)[:: max(1, sections // 2000)]
        base, file = peak_mb(), Path(place) / "knowledge.db"
        with Clocks() as ingest:
            shelf = SqliteShelf(file, [folder], LsaLearner())
            shelf.sync()
        with Clocks() as again:
            shelf.sync()
        told = {
            "sections": float(shelf.condition()["sections"] or 0),
            "ingest_wall_s": ingest.wall / 1000,
            "ingest_cpu_s": ingest.cpu / 1000,
            "ingest_sections_per_cpu_s": sections / ingest.cpu * 1000,
            "unchanged_sync_wall_s": again.wall / 1000,
            "unchanged_sync_cpu_s": again.cpu / 1000,
        }
        shelf.close()
        shelf = SqliteShelf(file, None, LsaLearner())
        with Clocks() as first:
            shelf.search(" ".join(kept[0][:9]), limit=5)
        told |= {"first_query_wall_ms": first.wall, "first_query_cpu_ms": first.cpu}
        told |= asked(shelf, kept, language, queries)
        shelf.close()
        told |= {"peak_memory_mb": peak_mb(), "memory_over_start_mb": peak_mb() - base}
        return told | {"file_mb": file.stat().st_size / 2**20}


def asked(
    shelf: SqliteShelf, kept: list[list[str]], language: Language, queries: int
) -> dict[str, float]:
    """Search times, after some that teach it how common words are."""
    chance, clocks = random.Random(11), list[Clocks]()
    for _ in range(queries + LEARNING):
        words = chance.sample(chance.choice(kept), 9) + language.words(4)
        with Clocks() as one:
            shelf.search(" ".join(words), limit=5)
        clocks.append(one)
    wall = sorted(one.wall for one in clocks[LEARNING:])
    cpu = sorted(one.cpu for one in clocks[LEARNING:])
    return {
        f"query_p{at}_{name}_ms": times[len(times) * at // 100]
        for name, times in (("wall", wall), ("cpu", cpu))
        for at in (50, 95)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    given = parser.parse_args()
    for name, figure in measured(given.sections, given.queries).items():
        print(f"{name:26}{figure:12.1f}")


if __name__ == "__main__":
    main()
