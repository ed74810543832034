"""Contract of `Rounds`: one process at a time looks, and what it saw outlives it."""

from datetime import timedelta

from agentops_graph.domain.sight import Miss, Sight, Turn
from tests.contracts.desk import AT, after, at_once

EVERY = {"bot": 60.0, "feed": 60.0, "model": 60.0}
DOWN = Miss(source="warehouse", fault="down", why="refused, password=hunter2hunter2")


def names(turns):
    return sorted(turn.sight.component for turn in turns)


def looked(turn, at=AT, *, every_s=60, readings=None):
    sight = turn.sight.answered(at, readings or {"error_rate": 0.01})
    due_at = at + timedelta(seconds=every_s)
    return turn.model_copy(update={"sight": sight.model_copy(update={"due_at": due_at})})


def test_what_nobody_looked_at_yet_is_due_and_goes_to_one_process_only(desk):
    assert names(desk.rounds.take(EVERY, seconds=60, at=AT)) == ["bot", "feed", "model"]
    assert desk.rounds.take(EVERY, seconds=60, at=after(3600)) == []


def test_a_look_that_was_settled_is_due_again_at_its_time(desk):
    turns = desk.rounds.take(EVERY, seconds=60, at=AT)
    desk.rounds.settle([looked(turn) for turn in turns])
    assert desk.rounds.take(EVERY, seconds=60, at=after(59)) == []
    assert names(desk.rounds.take(EVERY, seconds=60, at=after(60))) == ["bot", "feed", "model"]


def test_a_turn_that_ran_out_is_anothers_and_its_late_result_is_left_out(desk):
    (late,) = desk.rounds.take({"bot": 60.0}, seconds=0.0, at=AT)
    (fresh,) = desk.rounds.take({"bot": 60.0}, seconds=60, at=AT)
    desk.rounds.settle([looked(late, readings={"error_rate": 0.9})])
    (sight,) = desk.rounds.sights()
    assert sight.readings == {}
    desk.rounds.settle([looked(fresh)])
    (sight,) = desk.rounds.sights()
    assert (sight.readings, sight.seen_at) == ({"error_rate": 0.01}, AT)


def test_many_that_ask_at_once_share_the_looks_and_double_none(desk):
    every_s = {f"m-{number}": 60.0 for number in range(40)}
    shares = at_once(lambda _: desk.rounds.take(every_s, seconds=60, at=AT))
    assert sorted(name for turns in shares for name in names(turns)) == sorted(every_s)


def test_the_longest_due_come_first_and_no_more_than_asked(desk):
    turns = desk.rounds.take(EVERY, seconds=60, at=AT)
    times = {"bot": 30, "feed": 10, "model": 20}
    desk.rounds.settle([looked(t, every_s=times[t.sight.component]) for t in turns])
    taken = desk.rounds.take(EVERY, seconds=60, at=after(90), limit=2)
    assert [turn.sight.component for turn in taken] == ["feed", "model"]


def test_a_clock_that_was_put_back_keeps_nobody_waiting(desk):
    turns = desk.rounds.take(EVERY, seconds=60, at=AT)
    desk.rounds.settle([looked(turn) for turn in turns])
    assert len(desk.rounds.take(EVERY, seconds=60, at=after(-7200))) == 3


def test_what_could_not_be_seen_is_kept_without_credentials(desk):
    (turn,) = desk.rounds.take({"bot": 60.0}, seconds=60, at=AT)
    seen = looked(turn).sight
    desk.rounds.settle([turn.model_copy(update={"sight": seen.unanswered(after(60), DOWN)})])
    (sight,) = desk.rounds.sights()
    assert (sight.blind_since, sight.missed, sight.fault) == (after(60), 1, "down")
    assert (sight.gap_from, sight.readings) == (AT, {"error_rate": 0.01})
    assert sight.why.startswith("refused")
    assert "hunter2" not in sight.why


def test_a_look_out_of_turn_keeps_what_it_saw_and_nobodys_time(desk):
    (turn,) = desk.rounds.take({"bot": 60.0}, seconds=60, at=AT)
    desk.rounds.settle([looked(turn)])
    (held,) = desk.rounds.sights()
    desk.rounds.settle([Turn(sight=held.answered(after(5), {"error_rate": 0.5}))])
    desk.rounds.settle([Turn(sight=Sight(component="new").answered(AT, {}))])
    first, second = desk.rounds.sights()
    assert (first.readings, first.due_at) == ({"error_rate": 0.5}, held.due_at)
    assert (second.component, second.due_at) == ("new", None)
