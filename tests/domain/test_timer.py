"""A timer by a clock that is put back and forth."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agentops_graph.domain.ledger import Timer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASKED = 300
seconds = st.integers(0, 3 * ASKED)
jumps = st.lists(st.tuples(seconds, st.integers(-10 * ASKED, 10 * ASKED)), max_size=4)


def after(s):
    return NOON + timedelta(seconds=s)


def timer():
    return Timer(
        timer_id="A-1:expire:0",
        kind="expire",
        incident_id="INC-1",
        due_at=after(ASKED),
        set_at=NOON,
    )


def waited(jumps, *, longest):
    """Real seconds until the timer is due when the clock, seen each second, jumps as said: after
    so many seconds by so much."""
    clock, real, waiting = 0, 0, timer()
    jumps = list(jumps)
    until = jumps[0][0] if jumps else None
    while real <= longest:
        waiting = waiting.seen(after(clock))
        if waiting.is_due(after(clock)):
            return real
        if jumps and real >= until:
            clock += jumps.pop(0)[1]
            until = real + jumps[0][0] if jumps else None
            continue
        clock, real = clock + 1, real + 1
    raise AssertionError("never due")


def test_it_is_due_after_the_wait_that_was_asked_for():
    assert waited([], longest=ASKED) == ASKED


@given(back=st.integers(1, 10**6), at=st.integers(0, ASKED - 1))
def test_one_jump_back_never_makes_it_early_and_never_late_by_more_than_two_waits(back, at):
    real = waited([(at, -back)], longest=10 * ASKED)
    assert ASKED <= real <= 3 * ASKED


@given(back=st.integers(1, 10**6), at=st.integers(0, 100), right=st.integers(1, 100))
def test_a_clock_put_back_and_right_again_leaves_the_wait_as_it_was(back, at, right):
    assert waited([(at, -back), (right, back)], longest=ASKED) == ASKED


@given(jumps)
def test_whatever_the_clock_does_it_is_due_at_last(jumps):
    assert waited(jumps, longest=40 * ASKED) >= 0


def test_a_row_of_an_older_ledger_waits_for_its_time():
    older = timer().model_copy(update={"set_at": None})
    assert not older.seen(after(-99)).is_due(after(-99))
    assert older.seen(after(ASKED)).is_due(after(ASKED))
