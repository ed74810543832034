"""Contract of `Deliveries` and `OutsideAlerts`: each message once, ends in whatever order."""

from datetime import timedelta

import pytest

from agentops_graph.domain.delivery import Firing, Outside, key_of
from tests.contracts.desk import AT, after, at_once, claim


def firing(fingerprint="a1", starts_at=AT, group="g", source="alertmanager"):
    key = key_of(source, group, fingerprint, starts_at.isoformat(), "firing")
    return Outside(
        source=source, key=key, fingerprint=fingerprint, starts_at=starts_at, claim=claim()
    )


def over(fingerprint="a1", starts_at=AT, over_at=None, group="g", source="alertmanager"):
    key = key_of(source, group, fingerprint, starts_at.isoformat(), "resolved")
    return Outside(
        source=source,
        key=key,
        fingerprint=fingerprint,
        starts_at=starts_at,
        over_at=over_at or starts_at + timedelta(seconds=60),
    )


def followed(desk, component="fraud-detector", **changes):
    """An alert that was admitted on the word of a message."""
    message, admission = firing(**changes), desk.report(component)
    desk.deliveries.take(message, at=AT)
    held = Firing(
        alert_id=admission.alert.alert_id,
        incident_id=admission.incident_id,
        source=message.source,
        fingerprint=message.fingerprint,
        starts_at=message.starts_at,
    )
    desk.outside_alerts.follow(held)
    return held


def test_message_is_new_once_however_often_it_comes(desk):
    seen = [desk.deliveries.take(firing(), at=after(n)) for n in range(3)]
    assert seen == ["new", "known", "known"]
    assert desk.deliveries.knows(firing().key)
    assert desk.deliveries.take(firing(group="another"), at=AT) == "new"
    assert desk.deliveries.take(firing(starts_at=after(600)), at=AT) == "new"
    assert desk.deliveries.take(firing(source="another"), at=AT) == "new"


def test_message_that_several_send_at_once_is_new_to_one(desk):
    seen = at_once(lambda _: desk.deliveries.take(firing(), at=AT))
    assert sorted(seen) == ["known"] * 5 + ["new"]


def test_message_about_no_alert_is_noted_once(desk):
    key = key_of("event", "/ci", "1")
    assert not desk.deliveries.knows(key)
    assert [desk.deliveries.note(key, "/ci", at=AT) for _ in range(2)] == [True, False]
    assert desk.deliveries.knows(key)


def test_alert_that_comes_after_its_end_is_over_and_one_that_begins_later_is_not(desk):
    assert desk.deliveries.take(over(), at=after(120)) == "new"
    assert desk.deliveries.take(firing(), at=after(121)) == "over"
    assert desk.deliveries.take(firing(), at=after(122)) == "known"
    assert desk.deliveries.take(firing(starts_at=after(90)), at=after(123)) == "new"
    assert desk.deliveries.take(firing("another"), at=after(124)) == "new"
    assert desk.deliveries.take(firing(source="another"), at=after(125)) == "new"


def test_older_end_that_comes_late_takes_nothing_back(desk):
    later = over(starts_at=after(600))
    desk.deliveries.take(later, at=after(900))
    desk.deliveries.take(over(), at=after(901))
    assert desk.deliveries.take(firing(starts_at=after(600)), at=after(902)) == "over"


def test_end_in_a_time_to_come_swallows_nothing_that_begins_until_then(desk):
    desk.deliveries.take(over(over_at=after(3600 * 24 * 365)), at=after(10))
    assert desk.deliveries.take(firing(), at=after(11)) == "over"
    assert desk.deliveries.take(firing(starts_at=after(60)), at=after(61)) == "new"


def test_end_of_what_begins_in_a_time_to_come_swallows_what_begins_in_minutes_at_most(desk):
    desk.deliveries.take(over(starts_at=after(3600 * 24 * 365)), at=after(10))
    assert desk.deliveries.take(firing(starts_at=after(300)), at=after(301)) == "over"
    assert desk.deliveries.take(firing(starts_at=after(320)), at=after(321)) == "new"


def test_end_names_the_incident_to_look_at_until_somebody_has(desk):
    held, other = followed(desk), followed(desk, "churn-model", fingerprint="b2")
    assert desk.outside_alerts.recovering(after(600)) == []
    desk.deliveries.take(over(), at=after(120))
    assert desk.outside_alerts.recovering(after(119)) == []
    assert desk.outside_alerts.recovering(after(120)) == [held.incident_id]
    (seen,) = desk.outside_alerts.followed(held.incident_id)
    assert seen == held.model_copy(update={"over_at": after(60)})
    assert desk.outside_alerts.followed(other.incident_id) == [other]

    desk.outside_alerts.look_again(held.incident_id, after(300))
    assert desk.outside_alerts.recovering(after(299)) == []
    assert desk.outside_alerts.recovering(after(300)) == [held.incident_id]
    desk.outside_alerts.look_again(held.incident_id, None)
    assert desk.outside_alerts.recovering(after(9999)) == []


def test_end_ends_what_began_before_it_and_nothing_else(desk):
    first = followed(desk)
    again = followed(desk, "churn-model", starts_at=after(600))
    foreign = followed(desk, "other-model", source="another")
    desk.deliveries.take(over(over_at=after(500)), at=after(700))
    assert desk.outside_alerts.recovering(after(700)) == [first.incident_id]
    assert desk.outside_alerts.followed(again.incident_id)[0].over_at is None
    assert desk.outside_alerts.followed(foreign.incident_id)[0].over_at is None


def test_looking_again_leaves_what_still_fires_alone(desk):
    held = followed(desk)
    desk.outside_alerts.look_again(held.incident_id, AT)
    assert desk.outside_alerts.recovering(after(9999)) == []


def test_message_taken_in_a_transaction_that_fails_may_come_again(desk):
    def taken_and_lost():
        with desk.incidents.together():
            desk.deliveries.take(firing(), at=AT)
            raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        taken_and_lost()
    if type(desk.deliveries).__name__.startswith("Ledger"):  # the twin has no transactions
        assert desk.deliveries.take(firing(), at=AT) == "new"


def test_what_is_old_is_forgotten_and_nothing_else(desk):
    desk.deliveries.take(over(), at=after(120))
    desk.deliveries.take(over("b2", starts_at=after(3600)), at=after(3700))
    desk.deliveries.forget(after(3600))
    known = [desk.deliveries.knows(each.key) for each in (over(), over("b2", after(3600)))]
    assert known == [False, True]
    assert desk.deliveries.take(firing(), at=after(3800)) == "new"
    assert desk.deliveries.take(firing("b2", after(3600)), at=after(3801)) == "over"
