"""A small server that speaks the HTTP API of Prometheus, its errors included."""

import json
import math
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MOST_POINTS = 11_000


class Metrics:
    """Answers queries from functions of time: `series[query]` is a list of (labels, function).

    `trouble` is what the next answers are instead: a status, a body, or a kind of bad behaviour.
    """

    def __init__(self):
        self.series = {}
        self.asked = []  # (path, parameters, headers)
        self.trouble = None
        self.warnings = []
        self.released = threading.Event()

    def matrix(self, query, start, end, step):
        if query not in self.series:
            return []
        count = math.floor((end - start) / step + 1e-9) + 1
        times = [start + number * step for number in range(count)]
        found = []
        for labels, value in self.series[query]:
            samples = [(at, value(at)) for at in times]
            samples = [[at, str(held)] for at, held in samples if held is not None]
            if samples:
                found.append({"metric": labels, "values": samples})
        return found

    def vector(self, query, at):
        held = [(labels, value(at)) for labels, value in self.series.get(query, [])]
        return [{"metric": m, "value": [at, str(v)]} for m, v in held if v is not None]


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = urlsplit(self.path)
        self.answered(parts.path, parse_qs(parts.query))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answered(self.path, parse_qs(body))

    def answered(self, path, parameters):
        world = self.server.world
        given = {name: values[0] for name, values in parameters.items()}
        world.asked.append((path, given, dict(self.headers)))
        if world.trouble is not None:
            self.misbehave(world)
        elif path == "/api/v1/status/buildinfo":
            self.give({"version": "2.42.0"})
        elif path == "/api/v1/query":
            result = world.vector(given["query"], float(given["time"]))
            self.checked(given, {"resultType": "vector", "result": result})
        elif path == "/api/v1/query_range":
            start, end, step = (float(given[name]) for name in ("start", "end", "step"))
            if (end - start) / step > MOST_POINTS:
                said = "exceeded maximum resolution of 11,000 points per timeseries."
                self.fail(400, "bad_data", said)
                return
            result = world.matrix(given["query"], start, end, step)
            self.checked(given, {"resultType": "matrix", "result": result})
        else:
            self.send(404, b"404 page not found")

    def checked(self, given, data):
        if "parse error" in given["query"]:
            said = 'invalid parameter "query": 1:7: parse error: unexpected identifier'
            self.fail(400, "bad_data", said)
            return
        self.give(data)

    def give(self, data):
        document = {"status": "success", "data": data}
        if self.server.world.warnings:
            document["warnings"] = self.server.world.warnings
        self.send(200, json.dumps(document).encode())

    def fail(self, status, kind, said):
        document = {"status": "error", "errorType": kind, "error": said}
        self.send(status, json.dumps(document).encode())

    def misbehave(self, world):
        trouble = world.trouble
        if isinstance(trouble, tuple):
            self.send(*trouble)
        elif trouble == "silent":
            world.released.wait(20)
        elif trouble == "drip":
            self.begin(1_000_000)
            while not world.released.is_set():
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.02)
        elif trouble == "huge":
            self.begin(64 * 1024 * 1024)
            for _ in range(1024):
                self.wfile.write(b" " * 65536)
        elif trouble == "truncated":
            self.begin(1000)
            self.wfile.write(b'{"status":"success","data":{"resultType":"mat')
            self.close_connection = True

    def begin(self, length):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def send(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self):
        try:
            super().handle()
        except OSError:  # whoever asked has gone
            self.close_connection = True

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def handle_error(self, request, client_address):
        pass  # whoever asked has gone


@contextmanager
def prometheus_wire():
    """The metrics and the address of a server that runs until the block ends."""
    server = Server(("127.0.0.1", 0), Requests)
    server.world = Metrics()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.world, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.world.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
