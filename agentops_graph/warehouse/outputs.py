"""Rows of AGENT_OUTPUTS as a frame."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentops_graph.domain.outputs import Calls
from agentops_graph.warehouse.columns import measured

Floats = NDArray[np.float64]
NAMES = ("request_id", "version", "session_id", "provider", "error")
FIGURES = ("retries", "latency_ms", "cost", "tokens", "progress", "false_positive")
TEXTS = ("request", "response", "context", "expected")
NO_ERROR = ("", "0", "0.0", "false", "none", "null")


def calls_in(timestamps: Floats, rows: Sequence[tuple[Any, ...]]) -> Calls:
    """The frame of rows of NAMES and FIGURES; times are seconds since the epoch."""
    width = len(NAMES) + len(FIGURES)
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in range(width)]
    named = {
        name: [sys.intern(str(value or "")) for value in values]
        for name, values in zip(NAMES, columns[: len(NAMES)], strict=True)
    }
    figures = dict(zip(FIGURES, map(measured, columns[len(NAMES) :]), strict=True))
    failed = [text.strip().lower() not in NO_ERROR for text in named["error"]]
    return Calls(
        ids=named["request_id"],
        timestamps=timestamps,
        version=named["version"],
        session=named["session_id"],
        provider=named["provider"],
        failure=named["error"],
        failed=np.array(failed, dtype=np.float64),
        **figures,
    )
