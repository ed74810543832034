"""A process that goes on where a desk stands, and is killed on its way."""

import os
import signal
import traceback
import warnings
from itertools import count

from agentops_graph import faults
from agentops_graph.domain.action import DeployModel, RollbackModel
from agentops_graph.domain.effect import effect_key

FELL = 3


def killed(desk, deed, nth) -> bool:
    """Forks a process that opens the desk's files, does the deed and works, and is killed at
    the nth fault point on its way; then the desk is opened anew. Says whether it came so far."""
    before = len(desk.actuator.keys)
    desk.saver.conn.close()
    desk.ports.incidents._db.close()
    with warnings.catch_warnings():  # newer Pythons warn of threads; those of a runner have ended
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _live(desk, deed, nth)
    _, status = os.waitpid(pid, 0)
    desk.open()
    for key in desk.actuator.keys[before:]:
        _has_happened(desk, key)
    assert status in (0, signal.SIGKILL), "the process fell; what it said stands above"
    return status == signal.SIGKILL


def _live(desk, deed, nth):
    """The forked process; never returns."""
    passed = count(1)

    def passing():
        if next(passed) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        desk.open()
        for point in faults.POINTS:
            faults.arm(point, passing)
        deed()
        desk.work()
    except BaseException:  # noqa: BLE001 - nothing may run on in a forked copy of the tests
        traceback.print_exc()
        os._exit(FELL)
    os._exit(0)


def _has_happened(desk, key):
    """What the killed process did outside, which in this world is kept in memory."""
    approval_id, _, direction = key.partition(":")
    proposal = desk.service.approval(approval_id).proposal
    action = proposal.action if direction == "do" else proposal.undo
    assert effect_key(approval_id, direction) == key
    if isinstance(action, DeployModel):
        desk.models.serving[action.model] = action.version
    if isinstance(action, RollbackModel):
        desk.models.serving[action.model] = action.to_version
    desk.actuator.times[key] = desk.clock.now()
