"""Times as the embedded warehouse stores them: text in one form, so that its order is theirs."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def time_text(at: datetime) -> str:
    """UTC with microseconds and offset, 32 characters, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def stored_time(value: object) -> object:
    """A datetime, or ISO text in any offset, as stored; anything else is left to the table."""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, str) and not (len(value) == 32 and value.endswith("+00:00")):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return value
        return time_text(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
    return value


def seconds(times: Sequence[str]) -> Floats:
    """Stored times as seconds since the epoch, equal to `datetime.timestamp()`."""
    bare = [text[:26] for text in times]
    micros = np.array(bare, dtype="datetime64[us]").astype(np.int64)
    return np.asarray(micros / 1e6, dtype=np.float64)


def stored(row: Mapping[str, object]) -> dict[str, object]:
    """A row with its times as text and its features as JSON."""
    kept = dict(row)
    for time in ("timestamp", "recorded_at", "checked_at"):
        if time in kept:
            kept[time] = kept[time] if kept[time] is None else stored_time(kept[time])
    if isinstance(kept.get("features"), Mapping):
        kept["features"] = json.dumps(kept["features"])
    return kept
