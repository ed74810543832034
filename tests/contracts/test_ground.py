"""Contract of `Effects`: an approval is not acted on when its ground is gone, nor by others."""

import pytest

from agentops_graph.errors import RefusedError
from tests.contracts.desk import after

LAPSES = {
    "time": lambda desk, left: None,
    "pause": lambda desk, left: desk.switches.pause_actions(
        everything=False, by="mia", at=after(190)
    ),
    "plan": lambda desk, left: desk.incidents.update(left.incident_id, plan_number=1),
    "person": lambda desk, left: desk.incidents.update(left.incident_id, status="escalated"),
}


@pytest.mark.parametrize("otherwise", ["failed", "unknown"])
@pytest.mark.parametrize("lapse", LAPSES)
def test_a_left_over_intent_whose_ground_is_gone_ends_and_is_not_retaken(desk, lapse, otherwise):
    approval, lease = desk.approved()
    left = desk.begin(approval, lease)
    desk.leases.release(lease)
    newer = desk.leases.acquire(lease.incident_id, "runner-2", 60)
    LAPSES[lapse](desk, left)
    at = after(3600) if lapse == "time" else after(200)
    ended = desk.effects.retake(left, newer, at=at, otherwise=otherwise)
    assert (ended.state, ended.ended_at) == (otherwise, at)
    assert ended.error
    assert desk.said_in_audit()[-1] == f"effect.{otherwise}"


def test_nothing_begins_for_an_incident_under_the_lease_of_another(desk):
    approval, _ = desk.approved()
    _, other = desk.approved("churn")
    with pytest.raises(RefusedError, match="lease"):
        desk.begin(approval, other)


@pytest.mark.parametrize(
    "change", [{"plan_number": 1}, {"status": "escalated"}, {"status": "closed"}]
)
def test_nothing_begins_for_a_plan_that_nobody_follows_any_more(desk, change):
    approval, lease = desk.approved()
    desk.incidents.update(lease.incident_id, **change)
    with pytest.raises(RefusedError, match="planned anew"):
        desk.begin(approval, lease)
