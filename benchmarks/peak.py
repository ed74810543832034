"""Memory of a process, from Linux: `getrusage` would count its parent's where it was forked."""

import re
from pathlib import Path


def peak_mb(pid: int | str = "self") -> float:
    """The most that a process has held at once, in MB."""
    return mb("VmHWM", pid)


def mb(field: str = "VmRSS", pid: int | str = "self") -> float:
    """A field of a process's status in MB: VmRSS is what it holds now."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024
