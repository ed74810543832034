"""How a diagnosis and its evidence read at the terminal."""

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from agentops_graph.cli import case_view, evidence_view
from agentops_graph.cli.why_view import why
from agentops_graph.diagnosis.claims import claims_from
from agentops_graph.domain.diagnosis import Hypothesis
from agentops_graph.domain.evidence import Evidence
from tests.desk import NOON, diagnosis

ONSET = datetime(2026, 11, 15, 10, 0, tzinfo=UTC)
WEIGHTS = {"drift_seen": 1.0, "new_version_before_onset": 0.4, "feature_nulls": 0.0}


def observed(**fields):
    given = {
        "evidence_id": "E1",
        "incident_id": "INC-2026-1",
        "kind": "pipeline_runs",
        "source": "s",
        "query": "q",
        "summary": "seen",
        "measured_at": NOON,
    }
    return Evidence(**(given | fields))


SEEN = observed(
    signals={"drift_seen": 1.0, "new_version_before_onset": -1.0, "feature_nulls": -1.0}
)


def named():
    weighed = Hypothesis(
        cause="concept_drift",
        title="The world changed",
        reference="model_drift.md#x",
        probability=0.998,
        signals_for=("drift_seen", "new_version_before_onset"),
        prior=-1.0,
        score=2.0,
        weights=WEIGHTS,
    )
    claims = claims_from(WEIGHTS, (SEEN,))
    return diagnosis().model_copy(update={"hypotheses": (weighed,), "claims": claims})


def text_of(*parts):
    console = Console(width=160, no_color=True, record=True, file=StringIO())
    for part in parts:
        console.print(part)
    return " ".join(console.export_text().split())


def test_a_signal_that_counts_because_it_is_absent_does_not_read_as_seen():
    text = text_of(*why(named(), (SEEN,)))
    assert "new_version_before_onset (not seen)" in text
    assert "drift_seen (not seen)" not in text


def test_what_weighs_nothing_is_no_reason():
    assert "+0.00" not in text_of(*why(named(), (SEEN,)))


def test_the_share_of_a_cause_does_not_read_as_the_confidence():
    text = text_of(*case_view._reasoned(named(), (SEEN,), why=False))
    assert "share of each cause among those weighed, before it is calibrated" in text
    assert "new_version_before_onset (not seen)" in text


def test_figures_of_time_read_as_times_and_the_sign_is_explained():
    values = {"onset_at": ONSET.timestamp(), "feed.minutes_before_onset": -15.0, "started_at": 3.0}
    ((_, text),) = evidence_view._figures(observed(values=values))
    assert "1.7" not in text
    assert "onset_at 2026-11-15 10:00" in text
    assert "feed.minutes_before_onset -15 (after the onset)" in text
    assert "started_at 3" in text
