"""Text from outside is refused where no database could keep it."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.approval import Decision
from agentops_graph.errors import InputError

CLAIM = {
    "severity": "critical",
    "alert_type": "latency",
    "affected_component": "api",
    "timestamp": datetime(2026, 3, 1, tzinfo=UTC),
}
UNSTORABLE = ["a\x00b", "half \ud800 a pair"]


@pytest.mark.parametrize("text", UNSTORABLE)
@pytest.mark.parametrize("field", ["affected_component", "segment", "summary"])
def test_an_alert_with_unstorable_text_names_the_field(field, text):
    with pytest.raises(ValidationError) as caught:
        AlertClaim.model_validate(CLAIM | {field: text})
    assert caught.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize("text", UNSTORABLE)
def test_a_decision_with_an_unstorable_reason_is_refused(text):
    with pytest.raises(ValidationError):
        Decision(approval_id="A-1", verdict="reject", actor="mia", via="cli", reason=text)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_metric_that_is_no_number_is_refused(value):
    with pytest.raises(ValidationError):
        AlertClaim.model_validate(CLAIM | {"metrics": {"latency_p99": value}})


def test_ordinary_text_of_any_script_is_taken_as_it_is():
    claim = AlertClaim.model_validate(CLAIM | {"summary": "Задержка p99 выросла, 🚨"})
    assert claim.summary == "Задержка p99 выросла, 🚨"


def test_the_service_names_the_field_of_an_unstorable_reason(tmp_path):
    from tests.desk import Desk

    desk = Desk(tmp_path / "home")
    incident = desk.report()
    desk.work()
    with pytest.raises(InputError, match="reason"):
        desk.service.decide(
            desk.pending(incident), "reject", actor="mia", via="http", reason="no\x00"
        )


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z"]
)
@pytest.mark.parametrize("field", ["timestamp", "onset_at"])
def test_time_at_the_ends_of_the_calendar_is_refused(field, at):
    with pytest.raises(ValidationError) as caught:
        AlertClaim.model_validate(CLAIM | {field: at})
    assert caught.value.errors()[0]["loc"][0] == field


def test_time_of_any_offset_is_taken():
    claim = AlertClaim.model_validate(CLAIM | {"timestamp": "2026-03-01T00:00:00+14:00"})
    assert claim.timestamp == datetime(2026, 2, 28, 10, tzinfo=UTC)
