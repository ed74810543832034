"""Vectors of a model folder that only the library sentence-transformers can run."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from agentops_graph.diagnosis.embedding import Vectors
from agentops_graph.errors import InputError


class SentenceTransformersEmbedding:
    """A local folder; no model is looked up by its name and none is downloaded."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "modules.json").is_file():
            raise InputError(
                f"{folder} is no folder of a sentence-transformers model",
                field="AGENTOPS_EMBEDDING",
            )
        self._folder = folder

    @property
    def name(self) -> str:
        return f"sentence-transformers-{self._folder.name}-{self.dimensions}"

    @cached_property
    def dimensions(self) -> int:
        return int(self._model.get_sentence_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = self._model.encode(
            list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.dimensions)

    @cached_property
    def _model(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise InputError(
                "needs `pip install agentops-graph[sentence-transformers]`",
                field="AGENTOPS_EMBEDDING",
            ) from error
        return SentenceTransformer(str(self._folder), local_files_only=True)
