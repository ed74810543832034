"""Searches in an MLflow store that is only read: found experiments, filters, bounded pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

from agentops_graph.adapters.mlflow_registry.store import MlflowStore, translated
from agentops_graph.errors import NotFoundError, UnavailableError

if TYPE_CHECKING:
    from mlflow.store.entities.paged_list import PagedList
    from mlflow.tracking import MlflowClient

Found = TypeVar("Found")


def reader(store: MlflowStore) -> MlflowClient:
    """The store's client. A SQLite store that is not there is not made by looking at it."""
    if store.uri.startswith("sqlite:"):
        file = Path(unquote(urlsplit(store.uri).path)[1:])
        if not file.exists():
            raise UnavailableError(f"there is no MLflow store at {file}")
    try:
        return store.client()
    except NotFoundError as error:
        raise UnavailableError(str(error)) from error


def experiment_id(store: MlflowStore, name: str) -> str:
    """Raises UnavailableError when there is none: a renamed experiment is no quiet one."""
    client = reader(store)
    with unavailable(f"experiment {name}"):
        found = client.get_experiment_by_name(name)
    if found is None or found.lifecycle_stage != "active":
        raise UnavailableError(f"MLflow has no active experiment {name!r}")
    return str(found.experiment_id)


def tagged(tags: Mapping[str, str]) -> str:
    """The rest of a filter; the section refuses what the filter language can't quote."""
    return "".join(f" AND tags.`{name}` = '{value}'" for name, value in tags.items())


def pages(
    what: str, most: int, search: Callable[[str | None], PagedList[Found]]
) -> Iterator[Found]:
    """One after another, at most `most`; `search` takes a page's token."""
    token, count = None, 0
    while True:
        with unavailable(what):
            page = search(token)
        for one in page:
            if count == most:
                return
            count += 1
            yield one
        token = page.token
        if not token:
            return


@contextmanager
def unavailable(what: str) -> Iterator[None]:
    """As `translated`; but what is missing may not pass for nothing that happened."""
    try:
        with translated(what):
            yield
    except NotFoundError as error:
        raise UnavailableError(str(error)) from error
