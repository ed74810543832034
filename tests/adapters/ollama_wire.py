"""A local server that speaks the wire of Ollama's chat, faults included."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Ollama(ThreadingHTTPServer):
    """`/api/chat` as newline-delimited JSON; each request takes the next scripted reply."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, answer=None):
        super().__init__(("127.0.0.1", 0), Wire)
        self.replies, self.requests, self.headers_seen = [], [], []
        self.answer = answer  # scripts a reply from the request instead of the list
        self.released = threading.Event()

    def handle_error(self, request, client_address):
        """A client that leaves in the middle of an answer is part of the game."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Wire(BaseHTTPRequestHandler):
    """One connection to the scripted server."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Keeps the test output clean."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, json.loads(body)))
        self.server.headers_seen.append({k.lower(): v for k, v in self.headers.items()})
        scripted = self.server.answer
        reply = scripted(self.server.requests[-1][1]) if scripted else self.server.replies.pop(0)
        try:
            reply(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def begin(self, status=200):
        self.send_response(status)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, content):
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()


def line(content, *, done=False, **more):
    message = {"role": "assistant", "content": content, **more}
    document = {"model": "llama3", "created_at": "2026-02-28T09:30:00Z", "message": message}
    document["done"] = done
    if done:
        document |= {"prompt_eval_count": 100, "eval_count": 20}
    return json.dumps(document | ({"done_reason": "stop"} if done else {})).encode() + b"\n"


def says(text, **more):
    """A whole answer, streamed in small pieces."""

    def reply(wire):
        wire.begin()
        for start in range(0, len(text), 40):
            wire.chunk(line(text[start : start + 40], **more))
        wire.chunk(line("", done=True))
        wire.wfile.write(b"0\r\n\r\n")

    return reply


def calls(name, arguments):
    """A call of a tool, as a model with a template for tools makes it."""

    def reply(wire):
        wire.begin()
        wire.chunk(line("", tool_calls=[{"function": {"name": name, "arguments": arguments}}]))
        wire.chunk(line("", done=True))
        wire.wfile.write(b"0\r\n\r\n")

    return reply


def fails(status, error):
    def reply(wire):
        content = json.dumps({"error": error}).encode()
        wire.send_response(status)
        wire.send_header("Content-Length", str(len(content)))
        wire.end_headers()
        wire.wfile.write(content)

    return reply


def sends(content):
    """Raw bytes and a clean end."""

    def reply(wire):
        wire.begin()
        wire.chunk(content)
        wire.wfile.write(b"0\r\n\r\n")

    return reply


def breaks_off(wire):
    wire.begin()
    wire.chunk(line('{"cause": "upstream_sch'))
    wire.close_connection = True


def hangs(wire):
    wire.begin()
    wire.server.released.wait(10)
    wire.close_connection = True


def trickles(wire):
    wire.begin()
    while not wire.server.released.wait(0.02):
        wire.chunk(line(" "))
    wire.close_connection = True


def floods(wire):
    wire.begin()
    wire.chunk(line("x" * 10_000_000))
    wire.chunk(line("", done=True))
    wire.wfile.write(b"0\r\n\r\n")
