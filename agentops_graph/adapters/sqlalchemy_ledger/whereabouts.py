"""Where the process that claimed detached work is, and a word to it when that is proved."""

import os
import signal

from agentops_graph.adapters.sqlalchemy_ledger.writers import (
    _state_and_start,
    is_dead,
    this_process,
)
from agentops_graph.domain.effect import Writer
from agentops_graph.domain.ledger import Whereabouts


def whereabouts(writer: Writer) -> Whereabouts:
    """`here` only when the very process runs on this host: same boot, same id, same start."""
    if is_dead(writer):
        return "gone"
    return "here" if _runs_here(writer) else "out_of_reach"


def _runs_here(writer: Writer) -> bool:
    here = this_process()
    told = {"pid": here.pid, "started": here.started}
    if not writer.machine_id:  # an older version's row, which did not say more than host and boot
        told |= {"machine_id": here.machine_id, "pid_namespace": here.pid_namespace}
    same_place = writer.model_copy(update=told) == here
    can_be_seen = bool(here.pid_namespace) and "unknown" not in here.boot_id
    # An id alone proves nothing: another process may have got it since. Its start does.
    is_same = writer.started != "" and _state_and_start(writer.pid)[1] == writer.started
    return same_place and can_be_seen and is_same


def signalled(writer: Writer, how: signal.Signals) -> bool:
    """Signals the group of a process that is proved to be that very one; says whether it did.

    Detached work leads a session of its own, so its group holds nobody else. One that does not was
    not started by us, and is left alone.
    """
    if whereabouts(writer) != "here" or writer.pid == os.getpid():
        return False
    try:
        if os.getsid(writer.pid) != writer.pid:
            return False
        os.killpg(writer.pid, how)
    except (ProcessLookupError, PermissionError):
        return False
    return True
