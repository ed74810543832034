"""What a Prometheus server answered: its series as arrays, its refusals in our words."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import UnavailableError

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

log = logging.getLogger(__name__)

LARGEST = 1e75  # whose fourth power, which a spread needs, is still finite
SHOWN = 300  # characters of what a server says
BAD_QUERY = (400, 422)
# Remarks on how a query is written begin so; any other warning says that data are missing.
REMARK = "PromQL"


class RefusedQueryError(UnavailableError):
    """The server can't carry the query out; asking again will not help."""


@dataclass(frozen=True)
class Points:
    """One series; seconds since the epoch, and values with NaN for what is no figure."""

    labels: dict[str, str]
    times: Floats
    values: Floats

    @classmethod
    def joined(cls, parts: Sequence[Points]) -> Points:
        """Pieces of one series, in order."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            parts[0].labels,
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.values for part in parts]),
        )


def outcome(status: int, body: bytes, server: str) -> Any:
    """The `data` of an answer that succeeded in full. Raises RefusedQueryError or
    UnavailableError."""
    document = _document(body)
    if status in BAD_QUERY and document.get("errorType") in ("bad_data", "execution"):
        raise RefusedQueryError(f"{server} refuses the query: {told(document.get('error'))}")
    if status in (401, 403):
        raise UnavailableError(
            f"{server} refuses the credentials ({status}); look at `token_env`, or at `user` and "
            "`password_env`"
        )
    if status == 404:
        raise UnavailableError(f"{server} has no /api/v1 at that address (404); look at its url")
    if status != 200:
        said = told(document.get("error") or body[:SHOWN].decode(errors="replace"))
        raise UnavailableError(f"{server} answered {status}: {said or 'no reason given'}")
    if document.get("status") != "success" or "data" not in document:
        raise UnavailableError(f"{server} answered something that is not Prometheus's")
    _refuse_partial(document, server)
    return document["data"]


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_partial(document: dict[str, Any], server: str) -> None:
    """Data of which a part is missing would look as if all were well."""
    warnings = document.get("warnings")
    for warning in warnings if isinstance(warnings, list) else []:
        said = told(warning)
        if not said.startswith(REMARK):
            raise UnavailableError(f"{server} answered in part only: {said}")
        log.warning("%s: %s", server, said)


def points_in(data: Any) -> list[Points]:
    """The series of a matrix, a vector or a scalar. Raises UnavailableError for anything else."""
    try:
        kind, result = data["resultType"], data["result"]
        if kind == "scalar":
            return [_series({}, [result])]
        if kind == "matrix":
            return [_series(_labels(one), _floats(one, "values")) for one in result]
        if kind == "vector":
            return [_series(_labels(one), [_floats(one, "value")]) for one in result]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnavailableError(
            f"Prometheus answered another form of data ({type(error).__name__})"
        ) from error
    raise RefusedQueryError(f"the query gives a {told(kind)}, and no number")


def _floats(one: dict[str, Any], key: str) -> Any:
    if key not in one and {"histogram", "histograms"} & set(one):
        raise RefusedQueryError(
            "the query gives native histograms; take a figure of them, such as histogram_quantile"
        )
    return one[key]


def _labels(one: dict[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in one["metric"].items()}


def _series(labels: dict[str, str], samples: list[list[Any]]) -> Points:
    """`+Inf`, `-Inf` and `NaN` are no measurements: a quantile of nothing is NaN."""
    table = np.array([(float(at), float(value)) for at, value in samples], dtype=np.float64)
    table = table.reshape(-1, 2)
    if not np.isfinite(table[:, 0]).all() or (np.diff(table[:, 0]) <= 0).any():
        raise ValueError("the times of a series don't rise")
    values = table[:, 1].copy()
    values[~(np.abs(values) <= LARGEST)] = np.nan
    return Points(labels, table[:, 0].copy(), values)


def told(said: object) -> str:
    """What a server said, on one line, without credentials, cut short."""
    plain = "".join(letter if letter.isprintable() else " " for letter in redacted(str(said or "")))
    return " ".join(plain.split())[:SHOWN]
