"""A cause as a person says it: one that is known, or one that they say is new."""

import re
from collections.abc import Iterable
from typing import get_args

from agentops_graph.diagnosis.wording import nearest
from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE, Diagnosis
from agentops_graph.domain.lesson import ConfirmedOutcome
from agentops_graph.errors import InputError
from agentops_graph.ports import Shelf

CAUSE = re.compile(r"[a-z][a-z0-9_]{0,99}")


def checked_cause(cause: str, known: Iterable[str], *, is_new: bool) -> str:
    """Raises InputError for what is no name, and for a name that nobody knows unless it is said to
    be new: a typo would count as the truth that diagnoses are held against."""
    if CAUSE.fullmatch(cause) is None:
        raise InputError(
            "a cause is named as in the runbooks, such as `upstream_schema_change`",
            field="cause",
        )
    names = sorted(set(known))
    if not is_new and cause not in names:
        raise InputError(
            f"no runbook knows the cause {cause!r}{nearest(cause, names)}; "
            'if it is new, say so: --new-cause (over HTTP "new_cause": true)',
            field="cause",
        )
    return cause


def known_causes(
    shelf: Shelf, diagnosis: Diagnosis | None, outcomes: Iterable[ConfirmedOutcome]
) -> set[str]:
    """Those of the runbooks, those that this diagnosis weighed, and those people said before."""
    found = {c.cause for kind in get_args(AlertType) for c in shelf.causes(kind)}
    if diagnosis is not None:
        found |= {diagnosis.cause, *(h.cause for h in diagnosis.hypotheses)}
    return found | {one.actual for one in outcomes} | {UNKNOWN_CAUSE}
