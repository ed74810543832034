"""The benchmark's components are judged in full, are healthy, and are fast enough to tick over."""

import pytest

from benchmarks import ticks, wide


def test_a_tick_over_many_healthy_components_reads_about_thirty_metrics_of_each_model():
    seconds, seen = ticks.timed(count=20, times=2)
    assert seen.admissions == []
    assert seen.unjudged == []
    assert len(seen.readings) == 20
    assert len(seen.readings["model-0"]) >= ticks.METRICS
    # Of the processor, because other tests run beside this one; twice what the aim leaves.
    assert min(busy for _, busy in seconds) < 2 * 20 * ticks.AIM_S / ticks.COMPONENTS


@pytest.mark.slow
def test_ticks_hold_no_memory():
    grown = ticks.grown(count=20)
    assert grown["traced_mb"] < 0.2


def test_a_wide_file_is_measured_as_often_as_asked(tmp_path, capsys):
    path = tmp_path / "rows.parquet"
    wide.write(path, rows=3000, columns=70)
    wide.measured(path, passes=3)
    printed = capsys.readouterr().out
    assert "9,000 x 70 from Parquet" in printed
    assert "worst PSI 0.0000" in printed
