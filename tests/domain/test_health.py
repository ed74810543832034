"""The verdict over a health window, whatever the looks were like and whatever the clock did."""

from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.domain.approval import Bound, Guard
from agentops_graph.domain.health import Look, began_by, judge_window, next_look

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GUARD = Guard(
    bounds=(Bound(metric="error_rate", above=0.05),),
    window_s=60,
    every_s=20,
    looks=3,
    fresh_rows=20,
)


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def seen(at, rows, *, errors=0.0, inside=None, errors_after=None, since=NOON):
    return Look(
        at=after(at),
        since=since,
        rows=rows,
        rows_inside=rows if inside is None else inside,
        metrics={"error_rate": errors},
        metrics_after={} if errors_after is None else {"error_rate": errors_after},
    )


def verdict(*looks, at, began_at=NOON):
    return judge_window(GUARD, list(looks), began_at=began_at, now=after(at)).verdict


def test_three_looks_with_fresh_data_over_the_whole_window_are_healthy():
    looks = seen(20, 100), seen(40, 200), seen(60, 300)
    assert verdict(*looks[:2], at=59) == "watching"
    assert verdict(*looks, at=59) == "watching"
    assert verdict(*looks, at=60) == "healthy"


def test_looks_without_new_rows_end_without_a_verdict_on_health():
    looks = seen(20, 100), seen(40, 100), seen(60, 100)
    assert verdict(*looks, at=100) == "watching"
    assert verdict(*looks, at=240) == "no_data"


def test_a_breach_inside_the_window_counts_however_late_the_look_was():
    assert verdict(seen(20, 100, errors=0.5), at=20) == "breached"
    assert verdict(seen(7200, 900, errors=0.5, inside=300), at=7200) == "breached"


def test_a_breach_that_only_later_rows_show_is_too_late_for_the_guard():
    late = seen(90, 400, inside=300, errors_after=0.5)
    assert verdict(seen(20, 100), late, at=90) == "too_late"


def test_a_breach_after_the_window_is_never_called_healthy():
    looks = seen(20, 100), seen(40, 200), seen(90, 400, inside=300, errors_after=0.5)
    assert verdict(*looks, at=90) == "too_late"


@pytest.mark.parametrize("errors", [{"errors": 0.5}, {"errors_after": 0.5}])
def test_too_few_rows_are_no_breach(errors):
    inside = 19 if "errors" in errors else 0
    assert verdict(seen(90, 19, inside=inside, **errors), at=90) == "watching"


def test_a_late_look_of_an_older_release_which_measured_past_the_window_undoes_nothing():
    older = {"rows": 400, "metrics": {"error_rate": 0.5}}
    assert verdict(Look(at=after(90), **older), at=90) == "watching"
    assert verdict(Look(at=after(40), **older), at=40) == "breached"


def test_a_window_that_nobody_watched_is_looked_at_before_it_is_judged():
    assert next_look(GUARD, [], ended_at=NOON, now=after(7200)) is None
    fine = [seen(20, 100), seen(40, 200), seen(60, 300)]
    assert next_look(GUARD, fine, ended_at=NOON, now=after(7200)) is None


def test_looks_that_were_missed_are_not_made_up_for():
    late = [seen(200, 900)]
    assert next_look(GUARD, late, ended_at=NOON, now=after(201)) == after(220)
    assert next_look(GUARD, late, ended_at=NOON, now=after(220)) is None


def test_by_a_clock_put_back_the_window_begins_at_the_first_look_taken_by_it():
    hours_ago = -7200
    now = after(hours_ago)
    assert next_look(GUARD, [], ended_at=NOON, now=now) is None
    first = seen(hours_ago, 0, since=now)
    assert began_by(NOON, [first], after(hours_ago + 30)) == now
    assert next_look(GUARD, [first], ended_at=NOON, now=after(hours_ago + 5)) == after(-7180)


def test_by_a_clock_put_back_the_window_is_neither_shorter_nor_hours_longer():
    back = -7200
    since = after(back)
    looks = [seen(back + 20 * n, 100 * n, since=since) for n in range(4)]
    assert verdict(*looks, at=back, began_at=since) == "watching"
    assert verdict(*looks[:3], at=back + 59, began_at=since) == "watching"
    assert verdict(*looks, at=back + 60, began_at=since) == "healthy"
    assert verdict(looks[0], at=back + 240, began_at=since) == "no_data"


def test_rows_counted_anew_by_a_clock_put_back_are_fresh_again():
    since = after(-7200)
    before = [seen(20, 5000), seen(40, 9000)]
    behind = [seen(-7180, 100, since=since), seen(-7160, 200, since=since)]
    assert verdict(*before, *behind, at=-7140, began_at=since) == "healthy"


def test_a_clock_put_right_again_finds_the_window_as_it_was():
    behind = [seen(-7200, 0, since=after(-7200)), seen(-7180, 100, since=after(-7200))]
    assert began_by(NOON, behind, after(5)) == NOON
    assert verdict(*behind, at=5) == "watching"
    assert next_look(GUARD, behind, ended_at=NOON, now=after(5)) == after(20)


def test_a_clock_put_forward_is_not_healthy_without_its_looks():
    assert verdict(seen(20, 100), at=90) == "watching"
    assert verdict(seen(20, 100), seen(40, 200), at=239) == "watching"


def test_more_looks_than_needed_do_not_read_as_a_share():
    looks = [seen(n, 100 * n) for n in range(1, 6)]
    report = judge_window(GUARD, looks, began_at=NOON, now=after(5))
    assert report.reason == "5 of 60 s, 5 looks (at least 3)"
