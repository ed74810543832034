"""Checks of this machine: the data folder, SQLite, the settings."""

import shutil
import sqlite3
from pathlib import Path

from pydantic import SecretStr

from agentops_graph.data_folder import Places, make_home
from agentops_graph.doctor.check import Check, Visit
from agentops_graph.domain.redaction import redacted
from agentops_graph.settings import Settings

# Below this version several connections on a WAL file can corrupt it.
WAL_SAFE = (3, 51, 3)
LITTLE_ROOM = 200 * 1024 * 1024  # bytes; one retraining and its artifacts need about this


def folder(visit: Visit) -> list[Check]:
    make_home(visit.settings.home)
    free = shutil.disk_usage(visit.settings.home).free
    seen = f"{visit.settings.home} can be written, {free / 1024**3:.1f} GiB free"
    if free < LITTLE_ROOM:
        return [Check(name="data folder", state="degraded", seen=seen, mend="make room")]
    return [Check(name="data folder", state="ok", seen=seen)]


def sqlite(visit: Visit) -> list[Check]:
    """WAL only on versions without the WAL-reset bug."""
    safe = sqlite3.sqlite_version_info >= WAL_SAFE
    rule = "WAL" if safe else "TRUNCATE (WAL is safe from 3.51.3 on)"
    seen = f"SQLite {sqlite3.sqlite_version}, journal mode {rule}"
    in_wal = [] if safe else [p.name for p in _databases(visit.places) if _is_wal(p)]
    if in_wal:
        mend = "stop every process, then set `PRAGMA journal_mode=DELETE` on each"
        seen += f"; found in WAL all the same: {', '.join(in_wal)}"
        return [Check(name="sqlite", state="degraded", seen=seen, mend=mend)]
    return [Check(name="sqlite", state="ok", seen=seen)]


def _databases(places: Places) -> list[Path]:
    files = (places.ledger, places.checkpoints, places.warehouse, places.knowledge)
    return [file for file in files if file.exists()]


def _is_wal(file: Path) -> bool:
    """Bytes 18 and 19 of a SQLite file are 2 in WAL mode."""
    with file.open("rb") as opened:
        return opened.read(20)[18:20] == b"\x02\x02"


def settings_set(visit: Visit) -> list[Check]:
    """What was set, secrets hidden."""
    rows = []
    for name, field in Settings.model_fields.items():
        value = getattr(visit.settings, name)
        if value == field.default:
            continue
        shown = "hidden" if isinstance(value, SecretStr) else redacted(str(value))
        rows.append(f"{name}={shown}")
    return [Check(name="settings", state="ok", seen=", ".join(rows) or "all are the defaults")]
