"""What is recorded around a watched component: changes, versions, and the feed it reads."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from agentops_graph.domain.ledger import Version
from evals.detection.cases import Case, Row
from evals.detection.feed_world import NAME as FEED
from evals.detection.feed_world import FeedStream
from evals.detection.model_world import ModelStream

DRAWN = 11  # the word for the generator that draws what is recorded
OLD = timedelta(days=30)


@dataclass(frozen=True)
class Recorded:
    """One row of CHANGES, so many minutes before the onset."""

    kind: str
    subject: str
    minutes_before: float
    summary: str = ""


@dataclass
class Around:
    """The rest of the world of a case."""

    changes: list[Recorded] = field(default_factory=list)
    feed: FeedStream | None = None  # that the model reads
    released: float | None = None  # minutes before the onset at which version 2 went live
    serving: str = "1"
    keeps_changes: bool = True  # False: there is no table CHANGES
    registry_answers: bool = True
    damaged_h: tuple[float, float] | None = None  # hours in which the feed brought rubbish
    traffic: float = 1.0  # times the usual requests from the onset on
    runbooks: Path | None = None  # a team's own, on top of those that ship
    precedent: str | None = None  # a confirmed report that names this cause, wrongly

    def versions(self, case: Case) -> list[Version]:
        """As the registry tells them; a release is as old as it says."""
        name, onset = case.component.name, case.at(case.plan.fault)
        known = [Version(model=name, version="1", created_at=onset - OLD)]
        if self.released is not None:
            at = (case.onset or onset) - timedelta(minutes=self.released)
            known.append(Version(model=name, version="2", created_at=at))
        return known


Surround = Callable[[Case, np.random.Generator], Around]


def drawn(case: Case, name: str) -> np.random.Generator:
    return np.random.default_rng([case.seed, DRAWN, *name.encode()])


def lead(rng: np.random.Generator) -> float:
    """Minutes between a guilty change and what it does: nearly always under a quarter hour."""
    return float(rng.exponential(6.0) + 0.5)


def usual_feed(case: Case, **numbers: float) -> FeedStream | None:
    """The feed of a model, harmless unless told otherwise, broken from the same moment on."""
    if case.component.kind != "model":
        return None
    onset = case.onset
    onset_h = np.inf if onset is None else (onset - case.at(0)).total_seconds() / 3600
    return FeedStream(case.seed, onset_h, **numbers)  # type: ignore[arg-type]


def quiet(case: Case, rng: np.random.Generator) -> Around:
    """Everything is kept and nothing happened."""
    return Around(feed=usual_feed(case))


def with_feed(**numbers: float) -> Surround:
    """The fault shows in the model's feed as well."""
    return lambda case, rng: Around(feed=usual_feed(case, **numbers))


def after(
    kind: str, *, of_feed: bool = False, always: bool = True, more: Surround = quiet
) -> Surround:
    """A change of that kind came just before the onset; where it is not `always` recorded, in half
    of the cases nobody wrote it down."""

    def around(case: Case, rng: np.random.Generator) -> Around:
        found = more(case, rng)
        if always or rng.random() < 0.5:
            subject = FEED if of_feed and case.component.name != FEED else case.component.name
            found.changes.append(Recorded(kind, subject, lead(rng), kind.replace("_", " ")))
        return found

    return around


def released(*, serving: bool = True, more: Surround = quiet) -> Surround:
    """A new version came just before the onset, and its deploy is recorded."""

    def around(case: Case, rng: np.random.Generator) -> Around:
        found, minutes = more(case, rng), lead(rng)
        found.released, found.serving = minutes, "2" if serving else "1"
        found.changes.append(Recorded("deploy", case.component.name, minutes, "version 2 deployed"))
        return found

    return around


def busier(kind: str) -> Surround:
    """Two to three times the requests, and the change that sent them here."""

    def around(case: Case, rng: np.random.Generator) -> Around:
        found = after(kind)(case, rng)
        found.traffic = float(rng.uniform(2.2, 3.2))
        return found

    return around


def innocent(kind: str, minutes: tuple[float, float], *, of_feed: bool, more: Surround) -> Surround:
    """A change hours before the onset that has nothing to do with it."""

    def around(case: Case, rng: np.random.Generator) -> Around:
        found = more(case, rng)
        subject = FEED if of_feed else case.component.name
        found.changes.append(Recorded(kind, subject, float(rng.uniform(*minutes)), "a routine one"))
        return found

    return around


def damaged(case: Case, rng: np.random.Generator) -> Around:
    """Version 2 was trained on a day of rubbish, and went live just before the onset."""
    found = released()(case, rng)
    found.damaged_h = (20.0, 49.0)
    return found


def without_changes(case: Case, rng: np.random.Generator) -> Around:
    return Around(feed=usual_feed(case), keeps_changes=False)


def without_feed(case: Case, rng: np.random.Generator) -> Around:
    return Around()


def without_registry(case: Case, rng: np.random.Generator) -> Around:
    return Around(feed=usual_feed(case), registry_answers=False)


def poisoned(cause: str) -> Surround:
    return lambda case, rng: Around(feed=usual_feed(case), precedent=cause)


def two_guilty(case: Case, rng: np.random.Generator) -> Around:
    """A release and a change of the machines at the same moment."""
    found = released()(case, rng)
    return after("infrastructure", more=lambda *_: found)(case, rng)


def busy_rows(case: Case, around: Around, hour: int) -> Iterable[Row]:
    """The rows of an hour; where there is more traffic from the onset on, as many more."""
    rows, stream = [*case.stream.rows(hour)], case.stream
    if around.traffic == 1.0 or case.onset is None:
        return rows
    onset = case.onset.isoformat()
    if isinstance(stream, ModelStream):
        more = [replace(stream, seed=stream.seed + 100_000 * n) for n in (1, 2)]
        extra = [row for other in more for row in other.rows(hour) if str(row[0]) >= onset]
        taken = extra[:: max(1, round(2 / (around.traffic - 1)))]
        return [*rows, *((row[0], f"more-{row[1]}-{n}", *row[2:]) for n, row in enumerate(taken))]
    place = stream.columns.index("requests")
    return [
        (*row[:place], int(float(str(row[place])) * around.traffic), *row[place + 1 :])
        if str(row[0]) >= onset
        else row
        for row in rows
    ]
