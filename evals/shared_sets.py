"""Finds the third-party labelled sets and their own scorers; the project carries no copy."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

PROJECT = Path(__file__).parents[1]


def folder() -> Path:
    """`../shared/data` beside the project, or what AGENTOPS_EVAL_DATA names; it may not exist."""
    return Path(os.environ.get("AGENTOPS_EVAL_DATA", PROJECT.parent / "shared" / "data"))


def scorer(name: str) -> ModuleType | None:
    """The sets' own scorer of that name; None where the data is not there."""
    path = folder() / f"{name}.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
