"""Which labelled rows may speak for a model while its labels are still coming in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.domain.frames import Floats, Predictions

WHOLE = 0.9  # share of the labels that will ever come; the few that are missing tip no figure
SLICES = 12  # of a window: a delay of minutes costs minutes
BACK = (1, 2, 4, 8, 24, 72, 168)  # windows back, until a week of hours
SURE = 3.0  # standard errors


def labelled_share(rows: Predictions) -> float:
    """Share of the predicted rows that have a label; 0 without rows."""
    predicted = np.isfinite(rows.prediction)
    return float(np.isfinite(rows.label[predicted]).mean()) if predicted.any() else 0.0


def settled_until(rows: Predictions, start: float, end: float) -> float | None:
    """The moment up to which the labels of a window are all in, when its older part shows how many
    will come; None when even the oldest third still fills up, or when nothing is missing.

    A twelfth of the window counts as full with nine tenths of the share of the oldest third, chance
    allowed for.
    """
    predicted = np.isfinite(rows.prediction)
    place = np.clip(
        ((rows.timestamps[predicted] - start) / (end - start) * SLICES).astype(np.intp),
        0,
        SLICES - 1,
    )
    count = np.bincount(place, minlength=SLICES).astype(np.float64)
    held = np.isfinite(rows.label[predicted])
    labelled = np.bincount(place, held, minlength=SLICES)
    oldest = SLICES // 3
    if labelled[:oldest].sum() < WHOLE * count[:oldest].sum() or not labelled[:oldest].sum():
        return None
    full = WHOLE * labelled[:oldest].sum() / count[:oldest].sum()
    short = full * count - SURE * np.sqrt(np.maximum(count * full * (1 - full), 1.0))
    empty = np.flatnonzero((labelled < short) & (count > 0))
    return None if not len(empty) else start + (end - start) * float(empty[0]) / SLICES


def full_from(shares: Sequence[float], rows: Sequence[int]) -> int | None:
    """The first of several windows, the newest first, that has nearly all of its labels; None while
    the oldest one still has more than those before it and is not full itself.
    """
    most = max(shares)
    if most == 0.0 or not is_level(shares, rows):
        return None
    return next(number for number, share in enumerate(shares) if share >= WHOLE * most)


def is_level(shares: Sequence[float], rows: Sequence[int]) -> bool:
    """True once looking further back shows no more labels: the share is whole, or the last two
    windows have the same but for chance."""
    if shares[-1] >= WHOLE:
        return True
    if len(shares) < 2 or shares[-1] == 0.0:
        return False
    later, older = shares[-2], shares[-1]
    middle = (later + older) / 2
    spread = np.sqrt(middle * (1 - middle) * (1 / max(rows[-2], 1) + 1 / max(rows[-1], 1)))
    return bool(older - later <= max(SURE * spread, 0.05 * older))


def stamps_before(rows: Predictions, moment: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows came before a moment."""
    times: Floats = rows.timestamps
    return np.asarray(times < moment, dtype=np.bool_)
