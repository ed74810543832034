"""The labelled batches keep the checks honest, where they are there."""

import pytest

from evals.detection.third_party_quality import SCORER, main, rows, scorer


@pytest.fixture(scope="module")  # before the environment is cleared for each test
def sets():
    module = scorer(SCORER)
    if module is None:
        pytest.skip("no labelled batches; set AGENTOPS_EVAL_DATA to their folder")
    return module


def test_labelled_errors_are_found_and_small_shares_raise_no_alert(sets):
    found = {row.name: row for row in rows(sets)}
    assert [name for name, row in found.items() if not row.is_right] == []
    for label in ("", "held out: "):
        for kind, least in (("noise", 0.99), ("typoGenerator", 0.9), ("explicitmissingvalue", 1)):
            figures = found[f"{label}{kind} 10%"].figures
            assert figures["recall"] >= least
            assert figures["precision"] >= 0.99


def test_missing_data_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AGENTOPS_EVAL_DATA", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["third_party_quality"])
    assert scorer(SCORER) is None
    assert main() == 0
    assert "SKIPPED" in capsys.readouterr().out
