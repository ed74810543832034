"""Sentence vectors of a BERT model in a local folder, by numpy alone: no torch, no download."""

import json
import struct
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentops_graph.diagnosis.embedding import Vectors
from agentops_graph.errors import InputError

Array = NDArray[np.float32]
TOKENS = 256  # as the model was trained; a longer text is cut
LAYER_NORM = 1e-12
FILES = ("config.json", "model.safetensors", "tokenizer.json")
FLOATS = {"F32": np.float32, "F16": np.float16}


class BertEmbedding:
    """A folder as sentence-transformers saves it, of a BERT with mean pooling (Reimers and
    Gurevych, EMNLP 2019). Nothing is read before the first text."""

    def __init__(self, folder: Path, *, label: str) -> None:
        self._folder, self._label = folder, label
        missing = [file for file in FILES if not (folder / file).is_file()]
        if missing:
            raise InputError(f"{folder} has no {missing[0]}", field="AGENTOPS_EMBEDDING")
        self._config = _json(folder / "config.json")
        if self._config.get("model_type") != "bert":
            raise InputError(f"{folder} holds no BERT model", field="AGENTOPS_EMBEDDING")
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return f"{self._label}-{self.dimensions}"

    @property
    def dimensions(self) -> int:
        return int(self._config["hidden_size"])

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        with self._lock:
            encoded = self._tokenizer.encode_batch([_clean(text) for text in texts])
            return np.stack([self._vector(np.array(one.ids)) for one in encoded])

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        longest = int(self._config.get("max_position_embeddings", TOKENS))
        tokenizer.enable_truncation(min(TOKENS, longest))
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _weights(self) -> dict[str, Array]:
        try:
            return read_safetensors(self._folder / "model.safetensors")
        except (OSError, ValueError, KeyError, struct.error) as error:
            raise InputError(
                f"{self._folder}/model.safetensors can't be read: {error}",
                field="AGENTOPS_EMBEDDING",
            ) from error

    def _vector(self, ids: NDArray[np.int64]) -> Array:
        weights = self._weights
        hidden = (
            weights["embeddings.word_embeddings.weight"][ids]
            + weights["embeddings.position_embeddings.weight"][: len(ids)]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        hidden = self._normed(hidden, "embeddings.LayerNorm")
        for number in range(int(self._config["num_hidden_layers"])):
            hidden = self._layer(hidden, f"encoder.layer.{number}.")
        mean = hidden.mean(axis=0)
        length = float(np.linalg.norm(mean))
        return np.asarray(mean / length if length else mean, dtype=np.float32)

    def _layer(self, hidden: Array, layer: str) -> Array:
        heads = int(self._config["num_attention_heads"])
        query, key, value = (
            self._linear(hidden, f"{layer}attention.self.{part}")
            .reshape(len(hidden), heads, -1)
            .transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.float32(query.shape[-1]))
        share = np.exp(scores - scores.max(axis=-1, keepdims=True))
        share /= share.sum(axis=-1, keepdims=True)
        seen = (share @ value).transpose(1, 0, 2).reshape(len(hidden), -1)
        attended = self._linear(seen, f"{layer}attention.output.dense")
        hidden = self._normed(hidden + attended, f"{layer}attention.output.LayerNorm")
        wide = _gelu(self._linear(hidden, f"{layer}intermediate.dense"))
        return self._normed(
            hidden + self._linear(wide, f"{layer}output.dense"), f"{layer}output.LayerNorm"
        )

    def _linear(self, values: Array, name: str) -> Array:
        product = values @ self._weights[f"{name}.weight"].T
        return np.asarray(product + self._weights[f"{name}.bias"], dtype=np.float32)

    def _normed(self, values: Array, name: str) -> Array:
        centred = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + LAYER_NORM)
        scaled = centred / spread * self._weights[f"{name}.weight"]
        return np.asarray(scaled + self._weights[f"{name}.bias"], dtype=np.float32)


def read_safetensors(file: Path) -> dict[str, Array]:
    """Every float tensor of the file: eight bytes of length, a JSON header, then the numbers."""
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    body = memoryview(content)[8 + length :]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] not in FLOATS:
            continue
        start, end = entry["data_offsets"]
        numbers = np.frombuffer(body[start:end], dtype=FLOATS[entry["dtype"]])
        bare = name.removeprefix("bert.")
        tensors[bare] = numbers.reshape(entry["shape"]).astype(np.float32, copy=False)
    return tensors


def _gelu(values: Array) -> Array:
    from scipy.special import erf

    return np.asarray(0.5 * values * (1 + erf(values / np.sqrt(2.0))), dtype=np.float32)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _json(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} can't be read: {error}", field="AGENTOPS_EMBEDDING") from error
