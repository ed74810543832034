"""A small server that speaks Ollama's protocol for embeddings, with its faults, and tiny models."""

import json
import threading
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

WIDTH = 8


def vector_of(text):
    """The same text has the same direction; words that are shared bring two texts nearer."""
    total = np.zeros(WIDTH)
    for word in text.lower().split():
        seed = zlib.crc32(word.encode())
        total += np.random.default_rng(seed).normal(size=WIDTH)
    return (total if total.any() else np.ones(WIDTH)).tolist()


@contextmanager
def ollama(fault=None):
    """The server's address and the batches it was asked for; `fault` may be set while it runs."""
    state = {"fault": fault, "asked": []}

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/api/embed"
            state["asked"].append(given["input"])
            status, body = self.reply(given)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def reply(self, given):
            vectors = [vector_of(text) for text in given["input"]]
            faults = {
                "missing": (404, b'{"error": "model not found, try pulling it first"}'),
                "broken": (500, b'{"error": "out of memory"}'),
                "refused": (401, b'{"error": "unauthorized"}'),
                "busy": (429, b'{"error": "too many requests"}'),
                "garbage": (200, b"<html>proxy</html>"),
                "truncated": (200, b'{"embeddings": [[0.1, 0.'),
                "none": (200, b'{"embeddings": []}'),
                "ragged": (200, b'{"embeddings": [[1, 2], [1]]}'),
            }
            if state["fault"] in faults:
                return faults[state["fault"]]
            return 200, json.dumps({"model": given["model"], "embeddings": vectors}).encode()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tokenizer_file(path, words):
    """A word-level tokenizer over a few words, as `tokenizer.json`."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {"[PAD]": 0, "[UNK]": 1} | {word: n + 2 for n, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(path))
    return len(vocabulary)


def bert_folder(folder, words, *, width=WIDTH, seed=3):
    """A BERT of one layer with random weights, in the files sentence-transformers writes."""
    folder.mkdir(parents=True)
    count = tokenizer_file(folder / "tokenizer.json", words)
    chance = np.random.default_rng(seed)
    layer = "encoder.layer.0."
    shapes = {
        "embeddings.word_embeddings.weight": (count, width),
        "embeddings.position_embeddings.weight": (64, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        f"{layer}intermediate.dense.weight": (2 * width, width),
        f"{layer}intermediate.dense.bias": (2 * width,),
        f"{layer}output.dense.weight": (width, 2 * width),
        f"{layer}output.dense.bias": (width,),
    }
    for part in ("query", "key", "value"):
        shapes[f"{layer}attention.self.{part}.weight"] = (width, width)
        shapes[f"{layer}attention.self.{part}.bias"] = (width,)
    shapes[f"{layer}attention.output.dense.weight"] = (width, width)
    shapes[f"{layer}attention.output.dense.bias"] = (width,)
    for norm in ("embeddings.", f"{layer}attention.output.", f"{layer}output."):
        shapes[f"{norm}LayerNorm.weight"] = shapes[f"{norm}LayerNorm.bias"] = (width,)
    header, body = {}, b""
    for name, shape in shapes.items():
        numbers = chance.normal(size=shape).astype(np.float32)
        header[name] = {
            "dtype": "F32",
            "shape": list(shape),
            "data_offsets": [len(body), len(body) + numbers.nbytes],
        }
        body += numbers.tobytes()
    head = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + body)
    config = {
        "model_type": "bert",
        "hidden_size": width,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modules.json").write_text("[]")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    return folder


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def typed(name, kind, rank):
    dims = b"".join(block(1, block(2, f"d{n}")) for n in range(rank))
    return block(1, name) + block(2, block(1, number(1, kind) + block(2, dims)))


def lookup(table, *more):
    """The graph's beginning: tokens looked up in a table, as `hidden`, and further nodes."""
    tensor = number(1, len(table)) + number(1, table.shape[1]) + number(2, 1) + block(8, "table")
    tensor += block(9, table.tobytes())
    node = block(1, "table") + block(1, "input_ids") + block(2, "hidden") + block(4, "Gather")
    graph = b"".join(block(1, one) for one in (node, *more)) + block(2, "lookup")
    return graph + block(5, tensor) + block(11, typed("input_ids", 7, 2))


def write_model(folder, graph):
    model = number(1, 8) + block(7, graph) + block(8, block(1, "") + number(2, 13))
    (folder / "model.onnx").write_bytes(model)
    return folder


def onnx_folder(folder, words, *, width=384):
    """An ONNX model that looks tokens up in a table, written by hand in protobuf."""
    folder.mkdir(parents=True)
    count = tokenizer_file(folder / "tokenizer.json", words)
    table = np.random.default_rng(5).normal(size=(count, width)).astype(np.float32)
    return write_model(folder, lookup(table) + block(12, typed("hidden", 1, 3)))


def cross_encoder_folder(folder, likings, *, figures=1):
    """An ONNX cross-encoder that gives a pair the liking of its best known word."""
    folder.mkdir(parents=True)
    count = tokenizer_file(folder / "tokenizer.json", list(likings))
    table = np.zeros((count, figures), dtype=np.float32)
    table[2:, -1] = list(likings.values())
    axes = block(1, "axes") + number(8, 1) + number(20, 7)
    kept = block(1, "keepdims") + number(3, 0) + number(20, 2)
    best = block(1, "hidden") + block(2, "score") + block(4, "ReduceMax")
    best += block(5, axes) + block(5, kept)
    return write_model(folder, lookup(table, best) + block(12, typed("score", 1, 2)))
