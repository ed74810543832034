"""A team's entry point: the work it does is a line in a file, so that doing it twice is seen."""

import os

from agentops_graph.jobs.order import WorkOrder, WorkResult


def scale(order: WorkOrder) -> WorkResult:
    record = os.open(order.home / "effects.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(record, f"{order.key}\n".encode())
    os.fsync(record)
    os.close(record)
    return WorkResult(summary="two replicas more")
