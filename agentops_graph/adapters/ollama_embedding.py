"""Vectors of a model that an Ollama server runs."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from agentops_graph.diagnosis.embedding import Vectors
from agentops_graph.domain.address import refuse_remote
from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import InputError, UnavailableError

LONGEST = 8000  # characters; longer texts are refused by some servers


class OllamaEmbedding:
    """One model of one server; the size of its vectors is asked for once."""

    def __init__(
        self, model: str, host: str, *, timeout_s: float = 30, allow_remote: bool = False
    ) -> None:
        if not model:
            raise InputError("name the model: ollama:MODEL", field="AGENTOPS_EMBEDDING")
        refuse_remote(
            host,
            field="OLLAMA_HOST",
            allow_remote=allow_remote,
            sent="the text of runbooks and incidents",
        )
        self._model, self._host, self._timeout_s = model, host, timeout_s

    @property
    def name(self) -> str:
        return f"ollama-{self._model}"

    @cached_property
    def dimensions(self) -> int:
        return len(self._asked(["size"])[0])

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        vectors = self._checked(self._asked([_plain(text) for text in texts]), len(texts))
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return np.asarray(vectors / lengths, dtype=np.float32)

    def _asked(self, texts: list[str]) -> list[list[float]]:
        import httpx
        from ollama import ResponseError

        try:
            return list(self._client.embed_documents(texts))
        except ResponseError as error:
            mend = f"; `ollama pull {self._model}`" if error.status_code == 404 else ""
            said = redacted(str(error))[:200]
            raise UnavailableError(f"Ollama at {self._host}: {said}{mend}") from error
        except (httpx.HTTPError, ConnectionError, OSError, ValueError, TypeError) as error:
            said = redacted(f"{type(error).__name__}: {error}")[:200]
            raise UnavailableError(f"Ollama at {self._host}: {said}; is it running?") from error

    def _checked(self, answer: list[list[float]], count: int) -> Vectors:
        """A server may answer anything; a vector that is none is never kept."""
        try:
            vectors = np.asarray(answer, dtype=np.float32)
        except (ValueError, TypeError):
            vectors = np.zeros((0,), dtype=np.float32)
        fits = vectors.ndim == 2 and len(vectors) == count and vectors.shape[1] > 0
        if not fits or not np.isfinite(vectors).all():
            raise UnavailableError(
                f"Ollama at {self._host} gave no vectors for {self._model}; is it an embedding "
                "model?"
            )
        return vectors

    @cached_property
    def _client(self) -> Any:
        from langchain_ollama import OllamaEmbeddings

        return OllamaEmbeddings(
            model=self._model,
            base_url=self._host,
            client_kwargs={
                "timeout": self._timeout_s,
                "follow_redirects": False,
                "trust_env": False,  # a proxy from the environment must not see the texts
            },
        )


def _plain(text: str) -> str:
    return text[:LONGEST].encode("utf-8", "replace").decode("utf-8")
