"""Ingest, search time and memory of the knowledge at 100,000 sections.

python -m benchmarks.knowledge [--sections N] [--queries N]
Documents are drawn from a vocabulary whose words are as unequal as those of a language (Zipf), and
queries are alert texts made of words of one section with some of any other.
"""

import argparse
import random
import resource
import statistics
import string
import tempfile
import time
from itertools import accumulate
from pathlib import Path

from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.diagnosis.lsa import LsaLearner

WORDS = 40_000
SECTIONS_EACH = 8
WORDS_EACH = 90


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


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(sections: int, queries: int) -> dict[str, float]:
    language, chance = Language(7), random.Random(11)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "runbooks"
        folder.mkdir()
        kept = written(folder, sections, language)
        base = memory_mb()
        began = time.perf_counter()
        SqliteShelf(Path(place) / "knowledge.db", [folder], LsaLearner()).close()
        shelf = SqliteShelf(Path(place) / "knowledge.db", [folder], LsaLearner())
        shelf.sync()
        ingest = time.perf_counter() - began
        began = time.perf_counter()
        shelf.sync()
        again = time.perf_counter() - began
        times, cpu = [], []
        for number in range(queries + 20):
            words = chance.sample(chance.choice(kept), 9) + language.words(4)
            began, worked = time.perf_counter(), time.process_time()
            shelf.search(" ".join(words), limit=5)
            if number >= 20:  # the first ones read the file and learn how common words are
                times.append((time.perf_counter() - began) * 1000)
                cpu.append((time.process_time() - worked) * 1000)
        size = (Path(place) / "knowledge.db").stat().st_size / 2**20
        told = {
            "sections": float(shelf.condition()["sections"] or 0),
            "ingest_s": ingest,
            "unchanged_sync_s": again,
            "query_p50_ms": statistics.median(times),
            "query_cpu_p50_ms": statistics.median(cpu),
            "query_p95_ms": sorted(times)[int(len(times) * 0.95)],
            "peak_memory_mb": memory_mb(),
            "memory_over_start_mb": memory_mb() - base,
            "file_mb": size,
        }
        shelf.close()
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    given = parser.parse_args()
    for name, figure in measured(given.sections, given.queries).items():
        print(f"{name:22}{figure:12.1f}")


if __name__ == "__main__":
    main()
