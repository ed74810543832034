"""Whether a column came in another unit: multiplied by a known factor, or by a known map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.affine import affine_of
from agentops_graph.domain.profile import FeatureProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.detection.affine import Affine
    from agentops_graph.domain.frames import Floats


@dataclass(frozen=True)
class KnownMap:
    """now = `scale` * before + `shift`, and what people change when they do that."""

    scale: float
    shift: float
    meaning: str
    slack: float  # share by which the measured scale may differ


# A factor of ten is never chance; 1.6 may be a good month, so it has to be met more closely.
LOOSE, TIGHT = 0.1, 0.015
KNOWN_MAPS = (
    KnownMap(10, 0, "a decimal place, or centimetres to millimetres", LOOSE),
    KnownMap(0.1, 0, "a decimal place, or millimetres to centimetres", LOOSE),
    KnownMap(100, 0, "euros to cents, or shares to percent", LOOSE),
    KnownMap(0.01, 0, "cents to euros, or percent to shares", LOOSE),
    KnownMap(1000, 0, "seconds to milliseconds, or kilo to units", LOOSE),
    KnownMap(0.001, 0, "milliseconds to seconds, or units to kilo", LOOSE),
    KnownMap(1e6, 0, "seconds to microseconds, or mega to units", LOOSE),
    KnownMap(1e-6, 0, "microseconds to seconds, or units to mega", LOOSE),
    KnownMap(60, 0, "minutes to seconds, or hours to minutes", LOOSE),
    KnownMap(1 / 60, 0, "seconds to minutes, or minutes to hours", LOOSE),
    KnownMap(3600, 0, "hours to seconds", LOOSE),
    KnownMap(1 / 3600, 0, "seconds to hours", LOOSE),
    KnownMap(-1, 0, "the sign", LOOSE),
    KnownMap(1.8, 32, "°C to °F", TIGHT),
    KnownMap(1 / 1.8, -32 / 1.8, "°F to °C", TIGHT),
    KnownMap(1, 273.15, "°C to kelvin", TIGHT),
    KnownMap(1, -273.15, "kelvin to °C", TIGHT),
    KnownMap(2.20462, 0, "kilograms to pounds", TIGHT),
    KnownMap(1 / 2.20462, 0, "pounds to kilograms", TIGHT),
    KnownMap(1 / 1.609344, 0, "kilometres to miles", TIGHT),
    KnownMap(1.609344, 0, "miles to kilometres", TIGHT),
    KnownMap(3.28084, 0, "metres to feet", TIGHT),
    KnownMap(1 / 3.28084, 0, "feet to metres", TIGHT),
    KnownMap(2.54, 0, "inches to centimetres", TIGHT),
    KnownMap(1 / 2.54, 0, "centimetres to inches", TIGHT),
)
CLOSE_FIT = 0.98
SHIFT_SLACK = 0.15  # of the current standard deviation
APART = 0.1  # of the values may still lie among the reference's
FEWEST_MIXED = 20  # rows in another unit among others that are not
MIXED_FIT = 0.9


def profile_from(quantiles: Sequence[float]) -> FeatureProfile:
    """A profile of evenly spaced quantiles, filled up to one per percent."""
    levels = np.linspace(0, 1, len(quantiles))
    filled = np.interp(np.linspace(0, 1, 101), levels, quantiles)
    return FeatureProfile(edges=(), shares=(), quantiles=tuple(filled.tolist()))


def unit_change(quantiles: Sequence[float], values: Floats) -> KnownMap | None:
    """The known map that took the reference to `values`; None for no change, or any other one.

    Told from the quantile-quantile line, so that every row speaks and no single one decides. A
    change by a factor that no unit has is drift, and not said here.
    """
    if len(quantiles) < 5:
        return None
    found = affine_of(profile_from(quantiles), values)
    if found is None:
        return None
    known = _nearest(found, 1.0)
    if known is not None and _may_be_growth(known) and not _left(quantiles, values):
        return None
    if known is not None or not _left(quantiles, values):
        return known
    # What is symmetric around 0 is its own mirror image, so only what left its place is mirrored.
    return _nearest(affine_of(profile_from(quantiles), -values), -1.0)


def _nearest(found: Affine | None, sign: float) -> KnownMap | None:
    if found is None or found.fit < CLOSE_FIT or not (found.is_scaled or _moved(found) or sign < 0):
        return None
    scale, shift = sign * found.scale, sign * found.shift
    allowed = SHIFT_SLACK * found.deviation * abs(found.scale)
    for known in KNOWN_MAPS:
        if sign * known.scale < 0:
            continue
        near = abs(scale / known.scale - 1) <= known.slack
        # Where the scale is a little off, so is the point where the line meets the axis.
        if near and abs(shift - known.shift) <= allowed:
            return known
    return None


def _may_be_growth(known: KnownMap) -> bool:
    return known.slack == TIGHT and not known.shift


def _left(quantiles: Sequence[float], values: Floats) -> bool:
    """True when next to no value lies where the reference's did. A feed may well grow by 1.6; what
    lies apart altogether has not grown."""
    inside = (values >= quantiles[1]) & (values <= quantiles[-2])
    return float(np.mean(inside[np.isfinite(values)])) < APART


def _moved(found: Affine) -> bool:
    return abs(found.shift) > 3 * found.deviation


def mixed_in(quantiles: Sequence[float], outside: Floats) -> KnownMap | None:
    """The factor that brings rows outside the range back among the reference's, when there is one:
    some of the rows came in another unit."""
    if len(outside) < FEWEST_MIXED or len(quantiles) < 5:
        return None
    low, high = quantiles[0], quantiles[-1]
    middle = abs(quantiles[len(quantiles) // 2])
    best: tuple[float, KnownMap] | None = None
    for known in KNOWN_MAPS:
        if known.slack != LOOSE or known.scale <= 0 or middle == 0:
            continue
        back = outside / known.scale
        held = float(np.mean((back >= low) & (back <= high)))
        off = abs(np.log(max(abs(float(np.median(back))), 1e-300) / middle))
        if held >= MIXED_FIT and off < np.log(3) and (best is None or off < best[0]):
            best = (float(off), known)
    return None if best is None else best[1]
