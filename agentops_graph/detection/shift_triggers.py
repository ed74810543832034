"""Warnings beside the drift score: outputs, missing values, unseen categories, correlations.

None pages as critical: each explains a drift, or says that something changed which may be right.
None is of the type `model_drift`, whose open incident would keep a later drift from being told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agentops_graph.detection.intervals import wilson
from agentops_graph.detection.renames import renames
from agentops_graph.domain.redaction import redacted

if TYPE_CHECKING:
    from agentops_graph.detection.shift import Shift
    from agentops_graph.detection.together import Pair
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.profile import CategoryProfile, ReferenceProfile

# Of a feature whose true share is just what is borne: 0.03% a look, for dozens of features.
Z_SHARE = 4.0
OUTPUT_CHANCE = 1e-4  # a look: one in fourteen months of hourly looks
NAMED = 3
LETTERS = 40  # of a category's name
PLURAL = {"prediction": "Predictions", "label": "Labels"}


def output_drift(
    window: Window, output: str, index: float, chance: float, rows: int
) -> Finding | None:
    """Predictions or labels in other shares than in the reference."""
    limit = window.component.thresholds.output_psi
    if index <= limit or chance > OUTPUT_CHANCE:
        return None
    said = f"{PLURAL.get(output, output)} drifted: PSI {index:.2f} on {rows} rows"
    return window.finding(
        "anomaly_spike", "warning", f"{output}_drift", index, limit, said, rows=rows
    )


def missing_rise(window: Window, shift: Shift) -> Finding | None:
    """Features of which surely more is missing than the reference and the limit allow."""
    limit, rows = window.component.thresholds.missing_shift, shift.rows
    risen = {
        name: now - before
        for name, (before, now) in shift.missing.items()
        if now - before > limit and wilson(now, rows, Z_SHARE)[0] - before > limit
    }
    if not risen:
        return None
    worst = sorted(risen, key=lambda name: (-risen[name], name))
    told = [
        f"{shown(name)} {shift.missing[name][0]:.0%} -> {shift.missing[name][1]:.0%}"
        for name in worst[:NAMED]
    ]
    more = f" and {len(worst) - NAMED} more features" if len(worst) > NAMED else ""
    return window.finding(
        "data_quality",
        "warning",
        "missing_shift",
        risen[worst[0]],
        limit,
        f"More missing values: {', '.join(told)}{more}",
        rows=rows,
        figures={f"missing_{name}": shift.missing[name][1] for name in worst[:NAMED]},
    )


def unseen_categories(window: Window, reference: ReferenceProfile, shift: Shift) -> Finding | None:
    """Categories the reference never had, in surely more rows than its own tail lets expect."""
    limit = window.component.thresholds.unseen_share
    shares: dict[str, float] = {}
    for name, now in shift.categories.items():
        known = reference.categories[name]
        share, usual = unseen_share(known, now), _usually_unseen(known)
        if share - usual > limit and wilson(share, now.rows, Z_SHARE)[0] - usual > limit:
            shares[name] = share
    if not shares:
        return None
    worst = sorted(shares, key=lambda name: (-shares[name], name))
    told = [
        said_unseen(name, reference.categories[name], shift.categories[name])
        for name in worst[:NAMED]
    ]
    return window.finding(
        "data_quality",
        "warning",
        "unseen_share",
        shares[worst[0]],
        limit,
        f"Unknown categories: {'; '.join(told)}",
        rows=shift.rows,
        figures={f"unseen_{name}": shares[name] for name in worst[:NAMED]},
    )


def moved_apart(window: Window, pairs: list[Pair], drifted: Mapping[str, object]) -> Finding | None:
    """Two features that did not move on their own, but no longer as they did together."""
    limit = window.component.thresholds.correlation_shift
    clear = [
        pair
        for pair in pairs
        if pair.sure
        and abs(pair.change) > limit
        and pair.first not in drifted
        and pair.second not in drifted
    ]
    if not clear:
        return None
    worst = clear[0]
    weaker = abs(worst.now) < abs(worst.before)
    how = "no longer move together as they did" if weaker else "move together in a new way"
    more = f", and {len(clear) - 1} more pairs" if len(clear) > 1 else ""
    return window.finding(
        "anomaly_spike",
        "warning",
        "correlation_shift",
        abs(worst.change),
        limit,
        f"{worst.first} and {worst.second} {how}: correlation {worst.before:.2f} -> "
        f"{worst.now:.2f}{more}",
        figures={
            f"correlation_{worst.first}_{worst.second}": worst.now,
            f"baseline_correlation_{worst.first}_{worst.second}": worst.before,
        },
    )


def unseen_share(reference: CategoryProfile, now: CategoryProfile) -> float:
    """Share of the rows in categories that the reference never had."""
    new = sum(rows for name, rows in now.counts.items() if name not in reference.counts)
    return new / max(now.rows, 1)


def said_unseen(feature: str, reference: CategoryProfile, now: CategoryProfile) -> str:
    """Such as `country: 'DE' is now 'Germany'`, or which categories are new in how many rows."""
    renamed = renames(reference, now)
    if renamed:
        told = [f"{_quoted(old)} is now {_quoted(new)}" for old, new in renamed.items()]
        return f"{shown(feature)}: {', '.join(told[:NAMED])}"
    new = sorted(
        (name for name in now.counts if name not in reference.counts),
        key=lambda name: (-now.counts[name], name),
    )
    named = ", ".join(_quoted(name) for name in new[:NAMED])
    return f"{shown(feature)}: {named} in {unseen_share(reference, now):.0%} of the rows"


def _usually_unseen(reference: CategoryProfile) -> float:
    once = sum(1 for rows in reference.counts.values() if rows == 1)
    return once / max(reference.rows, 1)


def shown(name: str) -> str:
    """A name out of the data, fit to be read: short, printable and without a secret."""
    plain = redacted("".join(sign if sign.isprintable() else "?" for sign in name[: 4 * LETTERS]))
    return plain if len(plain) <= LETTERS else f"{plain[:LETTERS]}..."


def _quoted(name: str) -> str:
    return f"'{shown(name)}'"
