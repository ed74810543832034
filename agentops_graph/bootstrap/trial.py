"""Reads all runbooks as the agent would, in a data folder that is thrown away afterwards."""

import tempfile
from pathlib import Path

from agentops_graph.data_folder import Places, shipped
from agentops_graph.domain.record import Scalar
from agentops_graph.settings import Settings

WIDTH = 64  # of vectors that nobody will search


def trial(settings: Settings, folder: Path | None) -> dict[str, Scalar]:
    """The condition of a shelf of the shipped runbooks, of `folder` or else that of the settings,
    and of every folder that was added to this data folder; nothing in it is written."""
    from agentops_graph.adapters.sqlite_shelf import SqliteShelf, added_folders
    from agentops_graph.diagnosis.embedding import LexicalEmbedding

    given = [shipped("runbooks"), *filter(None, [folder or settings.runbooks])]
    added = added_folders(Places(settings.home).knowledge)
    with tempfile.TemporaryDirectory() as home:
        shelf = SqliteShelf(Path(home) / "knowledge.db", given, LexicalEmbedding(WIDTH))
        try:
            there = [(place, label) for place, label in added if place.is_dir()]
            for place, label in there:
                shelf.add_folder(place, label=label)
            shelf.sync()
            missing = [*shelf.missing(), *(str(p) for p, _ in added if not p.is_dir())]
            return shelf.condition() | {"missing_folders": "\n".join(missing)}
        finally:
            shelf.close()
