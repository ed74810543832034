"""The way from a log file to what is kept of it is quick enough to wait for."""

from benchmarks import logs


def test_a_hundred_thousand_lines_take_seconds(tmp_path):
    figures = logs.measure(10_000, tmp_path)
    assert figures["lines"] == 10_000
    # A tenth of what two quiet cores do: other tests run beside this one.
    assert figures["group_lines_per_s"] > 10_000
    assert figures["read_lines_per_s"] > 7_000
