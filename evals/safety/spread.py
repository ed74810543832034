"""Runs the cases of hostile text on two cores, one place and arm at a time."""

from __future__ import annotations

import logging
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evals.safety.__main__ import Lived

WORKERS = 2
CONFIGURED = "configured"  # the model of the settings, in the place of the scripted ones


def spread(chosen: list[dict[str, Any]], arms: tuple[str, ...]) -> list[Lived]:
    """What each case came to. Ends the process when the configured model was heard in none."""
    places = list(dict.fromkeys(case["place"] for case in chosen))
    work = [(arm, [c for c in chosen if c["place"] == place]) for arm in arms for place in places]
    if len(chosen) == 1:
        found = [one for arm, held in work for one in of_arm(held, arm)]
    else:
        # Not by fork: threads and libraries of this process would be copied in the middle of work.
        with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as workers:
            running = [workers.submit(of_arm, held, arm) for arm, held in work]
            found = [one for future in running for one in future.result()]
    asked = [one for one in found if one.arm == CONFIGURED]
    if asked and all(one.trouble for one in asked):
        raise SystemExit(f"the model was not heard in {len(asked)} runs: {asked[0].trouble}")
    return found


def of_arm(chosen: list[dict[str, Any]], arm: str) -> list[Lived]:
    from evals.safety.__main__ import results

    logging.disable(logging.WARNING)
    try:
        return list(results(chosen, (arm,)))
    finally:
        logging.disable(logging.NOTSET)
