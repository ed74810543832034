"""Detached work that hangs, or whose host is gone: it is ended, or becomes a person's."""

from agentops_graph.domain.ledger import Work
from agentops_graph.domain.standing import standing, why_lost, why_overdue
from agentops_graph.ports import Ports


def look_after(ports: Ports, work: Work) -> int:
    """What running work needs from any runner; returns how much was done.

    Nothing is ever begun again here: what may still be running is lost, and a person says what
    became of it; what runs too long and can be reached is told to end.
    """
    if work.silent_s is None:  # its last heartbeat is on a clock that nobody here can read
        ports.work.beat(work.key)
        return 0
    now = ports.clock.now()
    why = why_lost(work, ports.policy)
    if why is not None:
        return int(ports.work.lose(work, why=why, at=now))
    if standing(work, ports.policy) == "overdue":
        return int(ports.work.tell_to_end(work, why=why_overdue(work, ports.policy), at=now))
    return 0
