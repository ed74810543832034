"""Anything that can happen to incidents, in any order: what must hold, holds after every step."""

import shutil
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agentops_graph.adapters.memory.outside import FixedModels
from agentops_graph.domain.ledger import Version
from agentops_graph.errors import ConflictError, ForbiddenError, GoneError, InputError
from agentops_graph.watch import RECOVERED
from tests.desk import MODEL, NOON, Desk, ModelActuator
from tests.invariants import violations
from tests.races.killed import killed

HOUR = 3600
VERSIONS = {"older": 90, "0": 60, "1": 30, "2": 0}  # days of age
PEOPLE = ("mia", "tom", "ann")
people = st.sampled_from(PEOPLE)
picks = st.integers(min_value=0, max_value=5)
ENDED = ("resolved", "suppressed", "closed", "escalated")  # escalated: it is a person's
ROUNDS = 40


class TimedActuator(ModelActuator):
    """Remembers at what time each key was carried out."""

    def __init__(self, desk, file):
        super().__init__(desk, file)
        self.times = {}

    def _write_down(self, key):
        self.times[key] = self._desk.clock.now()
        super()._write_down(key)


class Loop(RuleBasedStateMachine):
    """One desk: the real graph, runner and ledger, and everybody who can do something to them."""

    def __init__(self):
        super().__init__()
        # What is tried here is order, not durability; a disk in memory spares a minute of syncs.
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.desk = Desk(self.folder / "home")
        self.desk.actuator = TimedActuator(self.desk, self.desk.home / "effects.txt")
        self.desk.models = FixedModels(
            [
                Version(model=MODEL, version=name, created_at=NOON - timedelta(days=days))
                for name, days in VERSIONS.items()
            ],
            {MODEL: "1"},
        )
        self.desk.again()
        self.digests, self.incidents = {}, set()

    @initialize(
        far=st.sampled_from(
            ["waiting", "rejected", "edited", "training", "trained", "deployed", "deployed"]
        )
    )
    def an_incident_has_come_so_far(self, far):
        self.alert("model_drift", works=True)
        (incident,) = self.desk.service.incidents()
        if far in ("rejected", "edited"):  # then going back to an older version is asked for
            self.desk.reject(incident.incident_id)
        if far == "edited":
            self.edit(0, "mia", "older")
            (asked,) = self.approvals("pending")
            assert asked.requested_by == "mia"
        if far in ("training", "trained", "deployed"):
            self.desk.approve(incident.incident_id)
        if far in ("trained", "deployed"):
            self.desk.training_ends(incident.incident_id)
        if far == "deployed":
            self.desk.approve(incident.incident_id)

    # --- what comes in ---

    @rule(kind=st.sampled_from(["model_drift", "cost_spike", "accuracy_drop"]), works=st.booleans())
    def alert(self, kind, works):
        summary = "Model drift detected. Aggregate PSI: 0.47" if kind == "model_drift" else kind
        self.desk.report(alert_type=kind, summary=summary)
        if works:
            self.desk.work()

    @rule()
    def the_runner_works(self):
        self.desk.work()

    @rule()
    def restart(self):
        self.desk.again()

    @rule(
        nth=st.integers(min_value=1, max_value=60),
        doing=st.sampled_from(["works", "alert", "approves", "approves"]),
    )
    def kill(self, nth, doing):
        deeds = {
            "works": lambda: None,
            "alert": lambda: self.desk.report(alert_type="cost_spike", summary="cost_spike"),
            "approves": self.somebody_approves,
        }
        killed(self.desk, deeds[doing], nth)

    def somebody_approves(self):
        for approval in self.approvals("pending")[:1]:
            with suppress(ConflictError):  # it may have expired
                self.decide(approval, "approve", "tom" if approval.requested_by == "mia" else "mia")

    @rule(
        seconds=st.sampled_from(
            [301, 301, 301, 60, -60, 2 * HOUR, -2 * HOUR, 25 * HOUR, -25 * HOUR]
        )
    )
    def the_clock_jumps(self, seconds):
        self.desk.clock.move(seconds)

    @rule(failing=st.booleans())
    def a_minute_passes_with_traffic(self, failing):
        self.desk.minutes_pass(1, failed=0.5 if failing else 0.0)

    @rule(version=st.sampled_from(["1", "2", "0"]))
    def somebody_else_moves_production(self, version):
        self.desk.models.serving[MODEL] = version

    # --- people ---

    def approvals(self, *statuses):
        return [a for a in self.desk.service.approvals(status=None) if a.status in statuses]

    @precondition(lambda self: self.approvals("pending"))
    @rule(pick=picks, who=people)
    def a_person_approves_and_it_is_carried_out(self, pick, who):
        self.a_person_decides(pick, who, yes=True, works=True)

    @precondition(lambda self: self.approvals("pending"))
    @rule(pick=picks, who=people, yes=st.booleans(), works=st.booleans())
    def a_person_decides(self, pick, who, yes, works):
        waiting = self.approvals("pending")
        approval = waiting[pick % len(waiting)]
        verdict = "approve" if yes else "reject"
        if approval.expires_at <= self.desk.clock.now():
            with pytest.raises(GoneError):
                self.decide(approval, verdict, who)
        elif approval.requested_by == who and yes:
            with pytest.raises(ForbiddenError):  # whoever edits asks, and somebody else approves
                self.decide(approval, verdict, who)
        else:
            decided = self.decide(approval, verdict, who).approval
            assert (decided.decided_by, decided.digest) == (who, approval.digest)
        if works:
            self.desk.work()

    def decide(self, approval, verdict, who):
        return self.desk.service.decide(
            approval.approval_id,
            verdict,
            actor=who,
            via="cli",
            digest=approval.digest,
            reason="as I see it",
        )

    @precondition(lambda self: self.approvals("approved", "rejected", "expired", "superseded"))
    @rule(pick=picks, who=people, yes=st.booleans())
    def a_person_decides_what_is_decided(self, pick, who, yes):
        settled = self.approvals("approved", "rejected", "expired", "superseded", "withdrawn")
        approval = settled[pick % len(settled)]
        with pytest.raises(ConflictError):
            self.decide(approval, "approve" if yes else "reject", who)
        assert self.desk.service.approval(approval.approval_id) == approval

    @precondition(lambda self: self.approvals("pending"))
    @rule(pick=picks, who=people, version=st.sampled_from([*VERSIONS, "none"]))
    def edit(self, pick, who, version):
        waiting = self.approvals("pending")
        asked = waiting[pick % len(waiting)]
        change = {"to_version": version}
        try:
            made = self.desk.service.edit(
                asked.approval_id, change, actor=who, via="cli", digest=asked.digest
            ).approval
        except (InputError, ConflictError):  # nothing of it can be edited, or the world has moved
            assert self.desk.service.approval(asked.approval_id) == asked
            return
        superseded = self.desk.service.approval(asked.approval_id)
        assert (superseded.status, superseded.superseded_by) == ("superseded", made.approval_id)
        assert (made.status, made.requested_by) == ("pending", who)
        assert made.digest != asked.digest
        assert made.proposal.action == asked.proposal.action.model_copy(update=change)

    @precondition(lambda self: self.approvals("pending"))
    @rule(pick=picks, who=people)
    def a_person_withdraws(self, pick, who):
        waiting = self.approvals("pending")
        approval = waiting[pick % len(waiting)]
        if RECOVERED in approval.notes:
            self.desk.service.withdraw(approval.approval_id, actor=who)
            return
        with pytest.raises(ConflictError):
            self.desk.service.withdraw(approval.approval_id, actor=who)

    @rule(everything=st.booleans(), who=people)
    def a_person_pauses_actions(self, everything, who):
        self.desk.service.pause_actions(everything=everything, actor=who)

    @precondition(lambda self: self.desk.service.paused())
    @rule(who=people)
    def a_person_resumes_actions(self, who):
        self.desk.service.resume_actions(actor=who)

    def escalated(self):
        return [i for i in self.desk.service.incidents() if i.status == "escalated"]

    @precondition(lambda self: self.escalated())
    @rule(pick=picks, who=people, works=st.booleans())
    def a_person_plans_anew(self, pick, who, works):
        mine = self.escalated()
        self.desk.service.retry(mine[pick % len(mine)].incident_id, actor=who)
        if works:
            self.desk.work()

    @precondition(lambda self: self.escalated())
    @rule(pick=picks, who=people)
    def a_person_closes(self, pick, who):
        mine = self.escalated()
        self.desk.service.close(mine[pick % len(mine)].incident_id, actor=who, note="done by hand")

    @precondition(lambda self: self.desk.service.to_reconcile())
    @rule(pick=picks, who=people)
    def a_person_reconciles(self, pick, who):
        unknown = self.desk.service.to_reconcile()
        key = unknown[pick % len(unknown)].key
        happened = key in self.desk.actuator.keys
        self.desk.service.reconcile(key, happened, actor=who, note="looked")

    # --- the outside ---

    @rule(manners=st.sampled_from(["good", "good", "refuses", "loses answers"]))
    def the_actuator_changes_its_manners(self, manners):
        self.desk.actuator.refusal = "not now" if manners == "refuses" else None
        self.desk.actuator.loses_answers = manners == "loses answers"

    def trainings(self):
        """Work that no process has taken up."""
        found = (self.desk.ports.work.find(e.key) for e in self.desk.ports.effect_log.listed())
        return [work for work in found if work is not None and work.state == "open"]

    @precondition(lambda self: self.trainings())
    @rule(pick=picks, candidate=st.sampled_from([0.95, 0.93, 0.7]), dies=st.booleans())
    def a_training_ends(self, pick, candidate, dies):
        open_ones = self.trainings()
        work = open_ones[pick % len(open_ones)]
        error = "MemoryError" if dies else None
        self.desk.training_of(work.key, candidate=candidate, error=error)

    # --- what must hold ---

    @invariant()
    def no_promise_is_broken(self):
        assert violations(self.desk.home) == []

    @invariant()
    def what_was_carried_out_was_asked_for_and_still_stood(self):
        for key, at in self.desk.actuator.times.items():
            approval_id, direction = key.split(":")
            approval = self.desk.service.approval(approval_id)
            assert approval.status == "approved"
            assert approval.decided_by in PEOPLE
            assert direction == "undo" or at < approval.expires_at

    @invariant()
    def an_approval_never_changes_what_it_asks_for(self):
        for approval in self.desk.service.approvals(status=None):
            first = self.digests.setdefault(approval.approval_id, approval.digest)
            assert approval.digest == approval.proposal.digest == first

    @invariant()
    def no_incident_is_lost(self):
        incidents = {incident.incident_id for incident in self.desk.service.incidents()}
        assert self.incidents <= incidents
        self.incidents = incidents

    @invariant()
    def one_thing_is_asked_at_a_time(self):
        asked = Counter(a.proposal.incident_id for a in self.approvals("pending"))
        assert all(times == 1 for times in asked.values())

    @invariant()
    def nobody_is_told_twice_that_an_approval_waits(self):
        told = Counter()
        for sent in self.desk.ports.outbox.listed():
            approval_id, _, rest = sent.marker.partition(":escalate:")
            if rest:
                told[approval_id, sent.notice.text.partition(":")[0]] += 1
        assert all(times == 1 for times in told.values())

    def teardown(self):
        try:
            if sys.exc_info()[0] is None:  # else it is broken already
                self.everything_ends()
        finally:
            self.desk.saver.conn.close()
            shutil.rmtree(self.folder)

    def everything_ends(self):
        """Once all the outside answers and people do what they are asked, nothing stays open."""
        self.the_actuator_changes_its_manners("good")
        self.desk.service.resume_actions(actor="mia")
        for number in range(ROUNDS):
            self.desk.work()
            if all(i.status in ENDED for i in self.desk.service.incidents()):
                break
            self.people_do_their_part()
            self.desk.minutes_pass(1)
            self.desk.clock.move(60 * 2 ** min(number, 10))
        assert {i.status for i in self.desk.service.incidents()} <= set(ENDED)
        assert self.approvals("pending") == []
        self.no_incident_is_lost()
        self.no_promise_is_broken()

    def people_do_their_part(self):
        for approval in self.approvals("pending"):
            with suppress(ConflictError):  # it may have expired
                self.decide(approval, "reject", "mia")
        for work in self.trainings():
            self.desk.training_of(work.key)
        for effect in self.desk.service.to_reconcile():
            happened = effect.key in self.desk.actuator.keys
            self.desk.service.reconcile(effect.key, happened, actor="mia", note="looked")


def settled(examples, steps):
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
        print_blob=True,
    )


TestShortStories = Loop.TestCase
TestShortStories.settings = settled(10, 25)


@pytest.mark.slow
class TestLongStories(Loop.TestCase):
    settings = settled(40, 50)
