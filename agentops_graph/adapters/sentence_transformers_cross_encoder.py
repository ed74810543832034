"""Scores of a local cross-encoder that the library sentence-transformers runs; no download."""

from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agentops_graph.errors import InputError, UnavailableError

SETTING = "AGENTOPS_RERANK"


class SentenceTransformersCrossEncoder:
    """A local folder; implements `diagnosis.reranking.PairScorer`."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file():
            raise InputError(f"{folder} has no config.json: it is no cross-encoder", field=SETTING)
        if find_spec("sentence_transformers") is None:
            raise InputError(
                "needs `pip install agentops-graph[sentence-transformers]`; a model exported to "
                "ONNX needs nothing more: onnx:FOLDER",
                field=SETTING,
            )
        self._folder = folder

    @property
    def name(self) -> str:
        return f"sentence-transformers:{self._folder.name}"

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        pairs = [(query, text) for text in texts]
        found = self._model.predict(pairs, show_progress_bar=False)
        return [float(score) for score in found]

    @cached_property
    def _model(self) -> Any:
        from sentence_transformers import CrossEncoder

        try:
            return CrossEncoder(str(self._folder), local_files_only=True)
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{self._folder} can't be read: {error}"[:300]) from error
