"""The monitor as a process: every component at its own time, and none held up by another."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, SimpleQueue
from time import monotonic

from agentops_graph.domain.schedule import every_of, next_due
from agentops_graph.domain.sight import WAREHOUSE, Miss, Turn
from agentops_graph.errors import AgentOpsError
from agentops_graph.gathering.recent import ReadOnce
from agentops_graph.gathering.sighted import Looked, look_at, missed
from agentops_graph.monitor import Tick, primed, told_of, with_sources
from agentops_graph.ports import Ports, Rounds

log = logging.getLogger(__name__)

WORKERS = 4
LOOK_S = 120.0  # the longest look; a locked SQLite answers after 30 s, and may be asked thrice
MOST_STALLED = 16  # looks that never ended; each holds a thread until its source lets go
QUIET_S = 2.0  # so long a round waits for one more look before it tells what it has
ROUND_S = 10.0
LONGEST_PAUSE_S = 5.0
FAILED_S = 1.0  # so long a round that failed is let rest
SLOW_S = 1.0  # a source that fails faster than that holds nobody up, and is asked by everybody


@dataclass(frozen=True)
class Underway:
    """A look that a thread is at, and when that began."""

    turn: Turn
    thread: threading.Thread
    began: float


@dataclass
class Hold:
    """What this process has taken, and not settled yet."""

    waiting: deque[tuple[Turn, float]] = field(default_factory=deque)  # and when it was taken
    underway: dict[str, Underway] = field(default_factory=dict)
    stalled: dict[str, threading.Thread] = field(default_factory=dict)  # given up, not yet ended
    due: dict[str, datetime] = field(default_factory=dict)


class Patrol:
    """One process of any number that look at the same components, each look by one of them.

    `every_s` is for components that name no interval. Looks run in threads, a few at a time. One
    that takes longer than `look_s` is given up and counts as missed; its component is not looked at
    again before it has ended. While a source is slow to fail, one look at a time asks it, and the
    others behind it are missed at once.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        every_s: float,
        look_s: float = LOOK_S,
        workers: int = WORKERS,
        opened_by: str = "monitor",
    ) -> None:
        self._ports, self._every_s, self._look_s = ports, every_s, look_s
        self._workers, self._opened_by = workers, opened_by
        self._every = {c.name: every_of(c, every_s) for c in ports.components.values()}
        self._hold = Hold()
        self._slow: dict[str, int] = {}  # slow failures on end, by source
        self._ended: SimpleQueue[tuple[Underway, Looked | Exception]] = SimpleQueue()

    def run(
        self,
        stop: threading.Event,
        told: Callable[[Tick | None, float], None] = lambda *_: None,
    ) -> None:
        """Looks until told to stop; a round that fails is logged, and the next one begins. `told`
        hears of each round that looked, None for one that failed, and of its seconds."""
        try:
            while not stop.is_set():
                pause_s, began = min(FAILED_S, self._every_s), monotonic()
                seen: Tick | None = None
                try:
                    seen = self.round()
                    pause_s = self._pause_s()
                except AgentOpsError as error:
                    log.error("a round of the monitor failed: %s", error)
                except Exception:
                    log.exception("a round of the monitor failed")
                if seen is None or seen.looked:
                    told(seen, monotonic() - began)
                stop.wait(pause_s)
        finally:
            self.give_back()

    def round(self) -> Tick:
        """Takes what is due and tells of what has been looked at since the last round; looks that
        take longer are told of by a later one."""
        self._take()
        looks, recent, until = list[Looked](), primed(self._ports), monotonic() + ROUND_S
        while monotonic() < until:
            looks += self._begin(recent)
            looked = self._next()
            if looked is None:
                break
            looks.append(looked)
        looks += self._overdue()
        try:
            seen = told_of(self._ports, looks, opened_by=self._opened_by)
            looks = self._settled(looks)
        finally:  # what could not be told is looked at again
            self._take_up(looks)
        return with_sources(
            self._ports, seen, looks, every_s=self._every_s, opened_by=self._opened_by
        )

    def give_back(self) -> None:
        """What was taken and not looked at is due still, for whoever comes next."""
        turns = [turn for turn, _ in self._hold.waiting]
        turns += [one.turn for one in self._hold.underway.values()]
        self._hold.waiting.clear()
        self._hold.underway.clear()
        try:
            self._rounds.settle(turns)
        except AgentOpsError as error:
            log.warning("turns were not given back, and run out by themselves: %s", error)

    def _take(self) -> None:
        hold, now = self._hold, self._ports.clock.now()
        hold.stalled = {n: thread for n, thread in hold.stalled.items() if thread.is_alive()}
        hold.due = {name: due_at for name, due_at in hold.due.items() if due_at > now}
        ours = {turn.sight.component for turn, _ in hold.waiting} | set(hold.underway)
        wanted = {name: every_s for name, every_s in self._every.items() if name not in ours}
        taken = self._rounds.take(wanted, seconds=3 * self._look_s, at=now)
        # Those that answered come first, then whoever was not asked for the longest.
        taken.sort(key=lambda t: (t.sight.missed > 0, str(t.sight.looked_at or "")))
        hold.waiting.extend((turn, monotonic()) for turn in taken)

    def _begin(self, recent: ReadOnce) -> list[Looked]:
        """Starts looks while there are workers; returns those that are missed without asking."""
        hold, unasked = self._hold, list[Looked]()
        while hold.waiting and self._busy < self._workers:
            turn, since = hold.waiting.popleft()
            if monotonic() - since > self._look_s:
                continue  # our turn may be over; it is due still
            why = self._why_not(turn)
            if why is None:
                self._start(turn, recent)
            else:
                hold.underway[turn.sight.component] = Underway(turn, threading.Thread(), 0.0)
                unasked.append(self._unasked(turn, why))
        return unasked

    def _why_not(self, turn: Turn) -> str | None:
        """Why nobody is asked now; None when somebody is."""
        source = turn.sight.source or WAREHOUSE
        if turn.sight.component in self._hold.stalled:
            return f"no answer yet to a look that began more than {self._look_s:g} s ago"
        stalled = len(self._hold.stalled)
        if stalled >= 2 * MOST_STALLED or (stalled >= MOST_STALLED and turn.sight.missed):
            return f"not asked: {stalled} looks got no answer and hold their threads"
        is_probed = any(
            (one.turn.sight.source or WAREHOUSE) == source
            for one in self._hold.underway.values()
            if one.began
        )
        if self._slow.get(source, 0) >= self._workers and is_probed:
            return f"not asked: {source} is slow to answer, and one look asks it at a time"
        return None

    def _start(self, turn: Turn, recent: ReadOnce) -> None:
        def look() -> None:
            try:
                self._ended.put((one, look_at(self._ports, component, recent, turn.sight)))
            except Exception as error:  # noqa: BLE001 - the round is told whatever failed
                self._ended.put((one, error))

        component = self._ports.components[turn.sight.component]
        thread = threading.Thread(target=look, name=f"look-{component.name}", daemon=True)
        one = Underway(turn, thread, monotonic())
        self._hold.underway[component.name] = one
        thread.start()

    def _next(self) -> Looked | None:
        """The next look that ends; None when none does for a while, or none is under way. Those
        that were given up are not waited for, and what they say comes too late."""
        while self._busy:
            try:
                one, result = self._ended.get(timeout=min(QUIET_S, self._left_s()))
            except Empty:
                return None
            if self._hold.underway.get(one.turn.sight.component) is one:
                return self._heard(one, result)
        return None

    def _heard(self, one: Underway, result: Looked | Exception) -> Looked:
        sight, now = one.turn.sight, self._ports.clock.now()
        if isinstance(result, Exception):
            log.error("%s can't be looked at", sight.component, exc_info=result)
            why = f"can't be looked at: {type(result).__name__}; the log tells where"
            miss = Miss(source=f"look at {sight.component}"[:200], fault="garbled", why=why)
            result = missed(sight, miss, now)
        self._mark(result, monotonic() - one.began)
        # Its worker is free at once; the turn is ours until it is settled.
        self._hold.underway[sight.component] = Underway(one.turn, one.thread, 0.0)
        return result

    def _mark(self, looked: Looked, took_s: float) -> None:
        source = looked.sight.source or WAREHOUSE
        if looked.sight.blind_since is None:
            self._slow.pop(source, None)
        elif took_s >= SLOW_S:
            self._slow[source] = self._slow.get(source, 0) + 1

    def _overdue(self) -> list[Looked]:
        """Gives up looks that take too long."""
        late = [
            one
            for one in self._hold.underway.values()
            if one.began and monotonic() - one.began > self._look_s
        ]
        for one in late:
            self._hold.stalled[one.turn.sight.component] = one.thread
        why = f"no answer in {self._look_s:g} s"
        looks = [self._unasked(one.turn, why, asked=True) for one in late]
        for looked in looks:
            self._mark(looked, self._look_s)
        return looks

    def _unasked(self, turn: Turn, why: str, *, asked: bool = False) -> Looked:
        miss = Miss(source=turn.sight.source or WAREHOUSE, fault="slow", why=why)
        return missed(turn.sight, miss, self._ports.clock.now(), asked=asked)

    def _settled(self, looks: Sequence[Looked]) -> list[Looked]:
        """The looks with the time of the next one, kept; their turns are over."""
        hold, now = self._hold, self._ports.clock.now()
        dated = [each.with_next(next_due(each.name, self._every[each.name], now)) for each in looks]
        turns = [Turn(sight=e.sight, token=hold.underway[e.name].turn.token) for e in dated]
        self._rounds.settle(turns)
        for each in dated:
            del hold.underway[each.name]
            if each.sight.due_at is not None:
                hold.due[each.name] = each.sight.due_at
        return dated

    def _take_up(self, looks: Sequence[Looked]) -> None:
        for each in looks:
            one = self._hold.underway.pop(each.name, None)
            if one is not None:
                self._hold.waiting.append((one.turn, monotonic()))

    def _left_s(self) -> float:
        """Until the first look under way has taken too long."""
        began = min(one.began for one in self._hold.underway.values() if one.began)
        return max(0.0, began + self._look_s - monotonic()) + 0.01

    @property
    def _busy(self) -> int:
        return sum(one.began > 0 for one in self._hold.underway.values())

    def _pause_s(self) -> float:
        """Until something is due; others may have taken the rest, so not for long."""
        if self._hold.waiting or self._hold.underway:
            return 0.0
        most, now = min([LONGEST_PAUSE_S, *self._every.values()]), self._ports.clock.now()
        waits = [(due_at - now).total_seconds() for due_at in self._hold.due.values()]
        return max(0.02, min([most, *waits]))

    @property
    def _rounds(self) -> Rounds:
        assert self._ports.rounds is not None  # every ledger has one
        return self._ports.rounds
