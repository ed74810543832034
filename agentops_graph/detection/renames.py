"""Which category was renamed: one that is gone, and a new one in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_graph.domain.profile import CategoryProfile

NOTICED = 0.01  # share of rows; what is rarer comes and goes
GONE = 0.1  # of its rows are left: the change may be younger than the window
APART = 1.25  # the new name has the old one's share within this factor


def renames(reference: CategoryProfile, current: CategoryProfile) -> dict[str, str]:
    """Old name to new name, as far as it is certain.

    Certain is a name that differs in case, blanks or marks only, or the one new name whose share is
    that of the one name that vanished.
    """
    gone = {
        name: rows / reference.rows
        for name, rows in reference.counts.items()
        if rows >= NOTICED * reference.rows
        and current.counts.get(name, 0) < GONE * rows / reference.rows * current.rows
    }
    new = {
        name: rows / current.rows
        for name, rows in current.counts.items()
        if name not in reference.counts and rows >= NOTICED * current.rows
    }
    found = {old: name for old in gone if (name := _alike(old, new)) is not None}
    rest = {old: share for old, share in gone.items() if old not in found}
    others = {name: share for name, share in new.items() if name not in found.values()}
    return found | _by_share(rest, others)


def _alike(old: str, new: Mapping[str, float]) -> str | None:
    same = [name for name in new if _plain(name) == _plain(old)]
    return same[0] if len(same) == 1 else None


def _by_share(gone: Mapping[str, float], new: Mapping[str, float]) -> dict[str, str]:
    fits = {
        old: [name for name, share in new.items() if was / APART <= share <= was * APART]
        for old, was in gone.items()
    }
    taken = [name for names in fits.values() for name in names]
    return {
        old: names[0]
        for old, names in fits.items()
        if len(names) == 1 and taken.count(names[0]) == 1
    }


def _plain(name: str) -> str:
    letters = "".join(sign for sign in name.casefold() if sign.isalnum())
    return letters or name
