"""Runs labelled cases on two cores; what could not run is told and never counted as wrong."""

import logging
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from agentops_graph.errors import AgentOpsError
from evals.diagnosis.scenario import Scenario
from evals.diagnosis.scenarios import SCENARIOS
from evals.diagnosis.world import Lived, grown, live
from evals.model_choice import Choice
from evals.model_choice import chosen as chosen_model

WORKERS = 2


def lived(
    seeds: range, names: Iterable[str] | None = None, choice: Choice | None = None
) -> list[Lived]:
    """Every case of every seed, by seed and trunk; put to a model as well where one is chosen, or
    the environment names one."""
    choice = chosen_model() if choice is None else choice
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    chosen = [SCENARIOS[name] for name in names] if names is not None else [*SCENARIOS.values()]
    trunks = dict.fromkeys(one.trunk for one in chosen)
    work = [([s.name for s in chosen if s.trunk == t], seed) for seed in seeds for t in trunks]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(WORKERS, os.cpu_count() or 1), mp_context=context) as workers:
        running = [workers.submit(of_trunk, names, seed, choice) for names, seed in work]
        return [case for future in running for case in future.result()]


def of_trunk(names: list[str], seed: int, choice: Choice | None = None) -> list[Lived]:
    """All cases that share a healthy time; each on a copy of it."""
    logging.disable(logging.WARNING)
    scenarios = [SCENARIOS[name] for name in names]
    with tempfile.TemporaryDirectory(prefix="eval-diagnosis-") as folder:
        trunk = Path(folder) / "trunk.db"
        grown(scenarios[0], seed, trunk)
        case = Path(folder) / "case"
        return [_one(scenario, seed, trunk, case, choice) for scenario in scenarios]


def _one(scenario: Scenario, seed: int, trunk: Path, folder: Path, choice: Choice | None) -> Lived:
    folder.mkdir()
    try:
        return live(scenario, seed, trunk, folder, choice)
    except (AgentOpsError, OSError) as error:
        return Lived(scenario.name, seed, trouble=f"{type(error).__name__}: {error}")
    finally:
        shutil.rmtree(folder)
