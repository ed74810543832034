"""The generated streams keep the detectors honest: faults are found, controls are silent."""

import pytest

from evals.detection.streams import CONTROLS
from evals.detection.time_series import SCORER, false_alarms_a_month, faults, main, scorer


@pytest.mark.parametrize("kind", ["latency step", "token bloat", "volume loss"])
def test_a_fault_is_found_within_hours(kind):
    found = faults(kind, 3)
    assert found["recall"] == 1
    assert found["early"] == 0
    assert found["delay"] <= 240
    assert found["onset_error"] <= 60


@pytest.mark.parametrize("kind", CONTROLS)
def test_a_harmless_season_is_silent(kind):
    assert false_alarms_a_month(kind, 2) == 0


def test_missing_data_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AGENTOPS_EVAL_DATA", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["time_series", "--seeds", "1"])
    assert scorer(SCORER) is None
    assert main() == 0
    assert "SKIPPED" in capsys.readouterr().out
