"""Who writes: the identity of a process, and the proof that it is gone."""

import hashlib
import os
import socket
from functools import cache
from pathlib import Path

from agentops_graph.domain.effect import Writer

# What Linux calls the namespace that the machine itself runs in; a container sees another one.
OF_THE_MACHINE = "pid:[4026531836]"
LARGEST_PID = 2**22


def this_process() -> Writer:
    """Who writes: enough to prove later that this very process is gone."""
    return Writer(
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid=os.getpid(),
        started=_state_and_start(os.getpid())[1],
        machine_id=_machine_id(),
        pid_namespace=_pid_namespace(),
    )


def is_dead(writer: Writer) -> bool:
    """True only when it is proved; what can't be seen from here is not.

    On this boot: host, machine and pid namespace are ours, and in it the process is gone or its
    number is another's. Of another boot: the machine is this one, and one machine runs one kernel
    at a time, so that whatever ran before is gone. A container knows neither: its machine id may
    be its image's, the same on every machine. Rows of versions that wrote no machine id are taken
    at their host name when the boot differs, and prove nothing when it does not.
    """
    here = this_process()
    if writer.host != here.host or "unknown" in (writer.boot_id + here.boot_id):
        return False
    is_this_boot = writer.boot_id == here.boot_id
    if writer.machine_id is None or writer.pid_namespace is None:
        return not is_this_boot
    if writer.machine_id != here.machine_id:
        return False
    if is_this_boot:
        is_seen = writer.pid_namespace == here.pid_namespace != ""
        return is_seen and _is_gone(writer.pid, writer.started)
    return bool(here.machine_id) and writer.pid_namespace == here.pid_namespace == OF_THE_MACHINE


def _is_gone(pid: int, started: str) -> bool:
    if not 0 < pid <= LARGEST_PID:
        return False
    try:
        os.kill(pid, 0)  # asks only; a hidden /proc (`hidepid`) does not blind it
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's: perhaps the writer under another user, perhaps its number's heir
    state, start = _state_and_start(pid)
    if not start or not started:
        return False
    return state == "Z" or start != started


def _state_and_start(pid: int) -> tuple[str, str]:
    """State and start time, in clock ticks since boot, of a process; empty when it can't be read,
    which is no proof that it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "", ""
    fields = stat.rpartition(")")[2].split()
    return fields[0], fields[19]


@cache
def boot_id() -> str:
    return _read("/proc/sys/kernel/random/boot_id") or "unknown-boot"


@cache
def _machine_id() -> str:
    # Hashed, because the id itself is a secret of the machine and effects are shown to people.
    own = _read("/etc/machine-id")
    return hashlib.sha256(f"agentops {own}".encode()).hexdigest()[:32] if own else ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
