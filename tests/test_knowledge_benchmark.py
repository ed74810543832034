"""The benchmark of the knowledge measures every figure that the docs state."""

from benchmarks import knowledge


def test_a_small_corpus_is_ingested_and_asked():
    figures = knowledge.measured(80, 5)
    assert figures["sections"] == 80
    assert all(value > 0 for name, value in figures.items() if name != "memory_over_start_mb")
    for clock in ("wall", "cpu"):
        assert figures[f"query_p50_{clock}_ms"] <= figures[f"query_p95_{clock}_ms"]
