"""What is too long for a row goes to a file of the data folder, whole, and is linked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import PortError

if TYPE_CHECKING:
    from agentops_graph.domain.record import Scalar
    from agentops_graph.gathering.case import Case, Observed

LONGEST_SUMMARY = 2000  # characters
MOST_VALUES = 400  # a wide model has six figures for each feature that drifted
LONGEST_VALUE = 2000


def within_limits(
    case: Case, kind: str, piece: str, observed: Observed
) -> tuple[Observed, str | None]:
    """The observation of a piece, such as E3, as a row holds it, and the file that has all of it; a
    word in its summary says what is not shown, also where no file could be kept."""
    shown = dict(list(observed.values.items())[:MOST_VALUES])
    is_long = len(observed.summary) > LONGEST_SUMMARY
    left_out = len(observed.values) - len(shown)
    too_long = any(isinstance(v, str) and len(v) > LONGEST_VALUE for v in shown.values())
    if not (observed.whole or is_long or left_out or too_long):
        return observed, None
    file, trouble = _kept(case, f"p{case.incident.plan_number}-{piece}-{kind}", observed)
    words = [f"{left_out} more values"] if left_out else []
    words += [f"all {len(observed.whole)} lines"] if observed.whole else []
    what = " and ".join(words) or "the whole text"
    where = f"in {file}" if file else f"not kept: {trouble}"
    summary = observed.summary[:LONGEST_SUMMARY] + ("…" if is_long else "")
    values = {name: _cut(value) for name, value in shown.items()}
    return replace(observed, summary=f"{summary} [{what} {where}]", values=values), file


def _cut(value: Scalar) -> Scalar:
    too_long = isinstance(value, str) and len(value) > LONGEST_VALUE
    return f"{str(value)[:LONGEST_VALUE]}…" if too_long else value


def _kept(case: Case, name: str, observed: Observed) -> tuple[str | None, str]:
    folder = case.ports.evidence_folder
    if folder is None:
        return None, "there is no folder for it"
    try:
        lines = (_visible(redacted(line)) for line in _lines(observed))
        return folder.keep(case.incident.incident_id, name, lines), "the folder keeps nothing"
    except PortError as error:
        return None, str(error)


def _lines(observed: Observed) -> Iterator[str]:
    yield f"{observed.source}: {observed.query}"
    yield observed.summary
    yield from observed.whole
    for name, value in observed.values.items():
        yield f"{name}: {json.dumps(value, ensure_ascii=False)}"


def _visible(line: str) -> str:
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line)
