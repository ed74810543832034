"""A local server that speaks the wires of Loki, of a search cluster and of a status page, faults
included."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Server(ThreadingHTTPServer):
    """Answers every request through `answer`, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Wire)
        self.answer, self.asked = answer, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Wire(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Keeps the test output clean."""

    def do_GET(self):
        self.read(b"")

    def do_POST(self):
        self.read(self.rfile.read(int(self.headers["Content-Length"])))

    def read(self, body):
        self.server.asked.append(Asked(self.command, self.path, dict(self.headers), body))
        try:
            self.server.answer(self, self.server.asked[-1])
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def say(self, status, body, kind="application/json", **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(headers.pop("length", len(body))))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Asked:
    """One request."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers = method, urlsplit(path).path, headers
        self.params = {name: v[0] for name, v in parse_qs(urlsplit(path).query).items()}
        self.query = urlsplit(path).query
        self.document = json.loads(body) if body else None


@contextmanager
def serving(answer):
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def loki(streams):
    """`query_range` as Loki answers it, from `{labels: [(ns, line), ...]}`: at most `limit` lines,
    the first or the last of the span, whose end is not included."""

    def answer(wire, asked):
        start, end = int(asked.params["start"]), int(asked.params["end"])
        backward = asked.params["direction"] == "backward"
        found = [
            (at, labels, line)
            for labels, lines in streams.items()
            for at, line in lines
            if start <= at < end
        ]
        found.sort(key=lambda entry: entry[0], reverse=backward)
        grouped = {}
        for at, labels, line in found[: int(asked.params["limit"])]:
            grouped.setdefault(labels, []).append([str(at), line])
        result = [{"stream": dict(labels), "values": v} for labels, v in grouped.items()]
        wire.say(200, {"status": "success", "data": {"resultType": "streams", "result": result}})

    return answer


def elastic(documents, **more):
    """`_search` on documents of one index, sorted and paged as a cluster does it."""

    def answer(wire, asked):
        query = asked.document
        (time_field,) = query["sort"][0]
        span = query["query"]["bool"]["filter"][0]["range"][time_field]
        descending = query["sort"][0][time_field]["order"] == "desc"
        hits = [
            {"_index": "logs-1", "_id": str(n), "_source": document, "sort": [at]}
            for n, (at, document) in enumerate(documents)
            if span["gte"] <= at < span["lt"]
        ]
        hits.sort(key=lambda hit: hit["sort"][0], reverse=descending)
        if "search_after" in query:
            (after,) = query["search_after"]
            hits = [
                h for h in hits if (h["sort"][0] < after if descending else h["sort"][0] > after)
            ]
        shards = {"total": 1, "successful": 1, "failed": 0}
        found = {"timed_out": False, "_shards": shards, "hits": {"hits": hits[: query["size"]]}}
        wire.say(200, found | more)

    return answer


def status(code, body=b"{}"):
    return lambda wire, asked: wire.say(code, body)


def garbage(wire, asked):
    wire.say(200, b"<html>hello</html>", kind="application/json")


def another_form(wire, asked):
    wire.say(200, {"data": [1, 2], "hits": {"hits": [{"_id": 1}]}})


def truncated(wire, asked):
    wire.say(200, b'{"data": {"result', length=9999)
    wire.close_connection = True


def huge(wire, asked):
    wire.say(200, b'"' + b"x" * 3_000_000 + b'"')


def slow(wire, asked):
    """A byte now and then, so that no single read ever takes long."""
    wire.send_response(200)
    wire.send_header("Content-Type", "application/json")
    wire.send_header("Content-Length", "100000")
    wire.end_headers()
    for _ in range(100):
        wire.wfile.write(b" ")
        wire.wfile.flush()
        time.sleep(0.05)


def slow_headers(wire, asked):
    for _ in range(100):
        wire.wfile.write(b"H")
        wire.wfile.flush()
        time.sleep(0.05)


def packed(wire, asked):
    wire.say(200, b"\x1f\x8b", **{"Content-Encoding": "gzip"})


# What an honest client has to bear, and what it says of it.
FAULTS = [
    (status(401), "401"),
    (status(403), "403"),
    (status(404), "404"),
    (status(429), "429"),
    (status(500), "500"),
    (status(302), "302"),
    (garbage, "no JSON"),
    (another_form, "another form|none of the values"),
    (truncated, "can't be read"),
    (huge, "more than"),
    (slow, "within"),
    (slow_headers, "within"),
    (packed, "encoding"),
]
NAMES = [
    *("401", "403", "404", "429", "500", "redirect", "garbage", "another-form", "truncated"),
    *("huge", "slow", "slow-headers", "packed"),
]
