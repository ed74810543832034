"""People and runners race over one approval a round; a program, so that it forks from nothing.

    python -m tests.races.rounds HOME ROUNDS [QUORUM]

It opens no file before it forks: no process ever shares a connection with another. Each line of
HOME/person-N.jsonl says what one process saw of one round.
"""

import json
import multiprocessing
import random
import sys
from pathlib import Path
from types import SimpleNamespace

from agentops_graph.adapters.memory import RecordingActuator
from agentops_graph.adapters.sqlalchemy_ledger import Database
from agentops_graph.adapters.system_clock import SystemClock
from agentops_graph.domain.action import RerunPipeline
from agentops_graph.domain.approval import Decision, Proposal
from agentops_graph.domain.policy import Policy
from agentops_graph.effects import carry_out
from agentops_graph.errors import ConflictError, RefusedError
from tests.contracts.desk import AT, KEY, after, claim, sql_desk

PEOPLE = 5
PATIENCE_S = 60  # a process that waits longer for the others reports a broken barrier
CLOCK = SystemClock()


def open_ledger(home):
    return sql_desk(Database(f"sqlite:///{home / 'ledger.db'}", audit_key=KEY))


def propose(ledger, number, quorum):
    """One incident and its one approval, on a target of its own."""
    admission = ledger.incidents.admit(claim(f"model-{number}"), opened_by="test", at=CLOCK.now())
    return ledger.approvals.propose(
        Proposal(
            approval_id="new",
            incident_id=admission.incident_id,
            plan_number=0,
            step=0,
            action=RerunPipeline(pipeline=f"feed-{number}", window_from=AT, window_until=after(60)),
        ),
        policy=Policy(quorum={"rerun_pipeline": quorum}),
        reason="could process data twice",
        notes=(),
        at=CLOCK.now(),
    )


def decide(ledger, approval_id, who, verdict):
    decision = Decision(
        approval_id=approval_id, verdict=verdict, actor=who, via="python", reason="a race"
    )
    try:
        return ledger.approvals.decide(decision, at=CLOCK.now()).status
    except ConflictError as error:
        return type(error).__name__


def run(ledger, approval_id, who, home):
    """What a runner does with the incident, as soon as it gets the lease."""
    approval = ledger.approvals.get(approval_id)
    while (lease := ledger.leases.acquire(approval.proposal.incident_id, who, 30)) is None:
        pass  # asking is a transaction, and those who ask queue for the ledger's lock
    ports = SimpleNamespace(
        clock=CLOCK,
        policy=Policy(),
        approvals=ledger.approvals,
        leases=ledger.leases,
        effects=ledger.effects,
        actuators={"rerun_pipeline": RecordingActuator(home / "effects.txt")},
        lease=lease,
    )
    try:
        return carry_out(ports, approval).state
    except RefusedError as refusal:
        return f"refused: {refusal}"
    finally:
        ledger.leases.release(lease)


def person(number, home, rounds, start, end):
    """Decides each round's approval and then tries to carry it out."""
    ledger, who, rng = open_ledger(home), f"person-{number}", random.Random(number)
    with (home / f"{who}.jsonl").open("w") as seen:
        for turn in range(rounds):
            approval_id = f"A-{turn + 1}"
            verdict = "approve" if (number + turn) % 2 else "reject"
            start.wait(PATIENCE_S)
            for _ in range(rng.randrange(2000)):  # who comes first is not always the same
                pass
            decided = decide(ledger, approval_id, who, verdict)
            ran = run(ledger, approval_id, who, home)
            line = {"approval_id": approval_id, "who": who, "verdict": verdict}
            seen.write(json.dumps(line | {"decided": decided, "ran": ran}) + "\n")
            end.wait(PATIENCE_S)


def main(home, rounds, quorum=1):
    fork = multiprocessing.get_context("fork")
    start, end = fork.Barrier(PEOPLE + 1), fork.Barrier(PEOPLE + 1)
    people = [
        fork.Process(target=person, args=(n, home, rounds, start, end)) for n in range(PEOPLE)
    ]
    for one in people:
        one.start()
    ledger = open_ledger(home)
    for turn in range(rounds):
        assert propose(ledger, turn, quorum).approval_id == f"A-{turn + 1}"
        start.wait(PATIENCE_S)
        end.wait(PATIENCE_S)
    for one in people:
        one.join()
    return max(one.exitcode for one in people)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
