"""The anchor of the audit chain: its last link in a file outside the table."""

import json
import os
from pathlib import Path

from agentops_graph.errors import UnavailableError


def read_head(path: Path) -> tuple[int, str] | None:
    """Number and hash of the anchored row; None when nothing was anchored yet."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return int(document["seq"]), str(document["hash"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnavailableError(f"the audit's anchor {path} can't be read: {error}") from error


def write_head(path: Path, seq: int, link: str) -> None:
    """Replaces the anchor in one step, synced to the disk."""
    fresh = path.with_suffix(f".{os.getpid()}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            json.dump({"seq": seq, "hash": link}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise UnavailableError(f"the audit's anchor {path} can't be written: {error}") from error
