"""Several people take on one escalated incident at once: one of them does, and all of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentops_graph import faults
from agentops_graph.errors import ConflictError, InputError
from tests.contracts.desk import at_once
from tests.desk import Desk
from tests.sampled import sampled

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


@pytest.fixture(autouse=True)
def _harmless():
    yield
    faults.disarm()


def escalated(desk):
    incident = desk.report()
    desk.work()
    desk.reject(incident)
    while desk.case(incident).pending:
        desk.reject(incident)
    assert desk.case(incident).incident.status == "escalated"
    return incident


def told(desk, incident):
    """What the two kinds of intervention have left: notes, closing records, jobs."""
    words = ("planned anew", "closed by")
    texts = [e.text for e in desk.case(incident).timeline if e.text.startswith(words)]
    closed = [
        document
        for _, document in desk.ports.incidents.kept(incident, "resolution")
        if document["resolution_status"] == "closed"
    ]
    return texts, len(closed), [j.why for j in desk.ports.jobs.waiting(desk.clock.now())]


def intervene(desk, incident, number):
    who = f"person-{number}"
    if number % 2:
        return desk.service.retry(incident, actor=who)
    return desk.service.close(incident, actor=who, note=f"{who} turned it back")


def judged(desk, incident):
    (text,), closed, jobs = told(desk, incident)
    held = desk.case(incident).incident
    if text.startswith("closed by"):
        assert (held.status, closed, jobs) == ("closed", 1, [])
        assert held.summary in text
    else:
        who = text.rpartition(" ")[2]
        assert (held.status, held.plan_number) == ("detected", 1)
        assert (closed, jobs) == (0, [f"retry by {who}"])


@pytest.mark.parametrize("turn", sampled(range(5), {0}))
def test_of_threads_that_close_and_retry_at_once_one_wins(desk, turn):
    incident = escalated(desk)
    outcomes = at_once(lambda n: intervene(desk, incident, n + turn))
    lost = [o for o in outcomes if isinstance(o, ConflictError)]
    assert len(lost) == len(outcomes) - 1
    judged(desk, incident)


PERSON = """
import sys
from pathlib import Path
from agentops_graph.errors import ConflictError
from tests.desk import Desk
from tests.test_interventions import intervene

home, incident, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
desk = Desk(home)
print("ready", flush=True)
input()
try:
    intervene(desk, incident, number)
    print("won")
except ConflictError:
    print("lost")
"""


@pytest.mark.slow
def test_of_processes_that_close_and_retry_at_once_one_wins(desk):
    incident = escalated(desk)
    people = [
        subprocess.Popen(
            [sys.executable, "-c", PERSON, str(desk.home), incident, str(number)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for person in people:
        assert person.stdout.readline() == "ready\n"
    for person in people:
        person.stdin.write("\n")
        person.stdin.flush()
    said = [person.communicate(timeout=240)[0].strip() for person in people]
    assert sorted(said) == ["lost", "lost", "won"], said
    judged(desk, incident)


class StoodStill:
    """The ledger's incidents as a person saw them before somebody else came."""

    def __init__(self, incidents, deed):
        self._incidents, self._deed = incidents, deed

    def get(self, incident_id):
        seen = self._incidents.get(incident_id)
        deed, self._deed = self._deed, lambda: None
        deed()
        return seen

    def __getattr__(self, name):
        return getattr(self._incidents, name)


@pytest.mark.parametrize("late", ["retry", "close"])
@pytest.mark.parametrize("first", ["retry", "close"])
def test_who_saw_it_escalated_before_somebody_else_took_it_changes_nothing(desk, first, late):
    def do(what, who):
        if what == "retry":
            return desk.service.retry(incident, actor=who)
        return desk.service.close(incident, actor=who, note=f"{who} did it")

    incident = escalated(desk)
    held = desk.ports.incidents

    def overtake():
        (outcome,) = at_once(lambda _: do(first, "noa"), times=1)
        assert outcome.status in ("detected", "closed")

    object.__setattr__(desk.ports, "incidents", StoodStill(held, overtake))
    with pytest.raises(ConflictError, match="somebody else took"):
        do(late, "mia")
    object.__setattr__(desk.ports, "incidents", held)
    texts, closed, jobs = told(desk, incident)
    assert len(texts) == 1
    assert "noa" in texts[0]
    assert (closed, len(jobs)) == ((0, 1) if first == "retry" else (1, 0))


@pytest.mark.parametrize("number", [0, 1])
def test_an_intervention_that_dies_before_its_end_has_written_nothing(desk, number):
    incident = escalated(desk)
    before = told(desk, incident), desk.case(incident).incident

    def die():
        raise RuntimeError("the power went")

    faults.arm("intervention.before_commit", die)
    with pytest.raises(RuntimeError, match="the power went"):
        intervene(desk, incident, number)
    assert (told(desk, incident), desk.case(incident).incident) == before
    faults.disarm()
    faults.arm("intervention.after_commit", die)
    with pytest.raises(RuntimeError, match="the power went"):
        intervene(desk, incident, number)
    judged(desk, incident)


def test_a_retry_keeps_in_mind_what_is_still_to_reconcile(desk):
    incident = desk.report()
    desk.work()
    desk.actuator.loses_answers = True
    desk.approve(incident)
    assert desk.service.retry(incident, actor="mia").needs_reconcile
    desk.service.reconcile("A-1:do", False, actor="mia", note="looked: no run of it")
    assert not desk.case(incident).incident.needs_reconcile


def test_a_retry_after_everything_was_reconciled_has_nothing_in_doubt(desk):
    incident = desk.report()
    desk.work()
    desk.actuator.loses_answers = True
    desk.approve(incident)
    desk.service.reconcile("A-1:do", False, actor="mia", note="looked: no run of it")
    desk.ports.incidents.update(incident, needs_reconcile=True)  # as an older version left it
    assert not desk.service.retry(incident, actor="mia").needs_reconcile


def test_closing_without_a_word_is_refused_and_changes_nothing(desk):
    incident = escalated(desk)
    with pytest.raises(InputError, match="say what was done"):
        desk.service.close(incident, actor="mia", note="  ")
    assert desk.case(incident).incident.status == "escalated"
