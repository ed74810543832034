"""A local server that speaks the wire of OpenAI's chat completions, faults included."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class OpenAIServer(ThreadingHTTPServer):
    """`/v1/chat/completions` as server-sent events; each request takes the next scripted reply.

    `refuses` holds words of the request that are answered with 400, as servers do that know less;
    `answer` scripts a reply from the request instead of the list.
    """

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, answer=None):
        super().__init__(("127.0.0.1", 0), Wire)
        self.replies, self.requests, self.headers_seen = [], [], []
        self.refuses = {}
        self.locked = False  # set: the list of models is refused
        self.answer = answer
        self.released = threading.Event()

    def handle_error(self, request, client_address):
        """A client that leaves in the middle of an answer is part of the game."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Wire(BaseHTTPRequestHandler):
    """One connection to the scripted server."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Keeps the test output clean."""

    def do_GET(self):
        if self.server.locked:
            fails_with(self, 401, {"error": {"message": self.headers["Authorization"]}})
            return
        fails_with(self, 200, {"data": [{"id": "small"}, {"id": "big"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body))
        self.server.headers_seen.append({k.lower(): v for k, v in self.headers.items()})
        for part, said in self.server.refuses.items():
            if part in json.dumps(body.get("response_format", "")) or part in body:
                fails_with(self, 400, {"error": {"message": said, "type": "invalid_request_error"}})
                return
        scripted = self.server.answer
        reply = scripted(body) if scripted else self.server.replies.pop(0)
        try:
            reply(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def begin(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def event(self, document):
        self.chunk(b"data: " + json.dumps(document).encode() + b"\n\n")

    def chunk(self, content):
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def end(self):
        self.chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")


def piece(delta, *, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1772271000,
        "model": "small",
        "choices": [choice],
    }


def says(text, *, tokens=(100, 20)):
    """A whole answer, streamed in small pieces; `tokens` None as of servers that count none."""

    def reply(wire):
        wire.begin()
        wire.event(piece({"role": "assistant", "content": ""}))
        for start in range(0, len(text), 40):
            wire.event(piece({"content": text[start : start + 40]}))
        wire.event(piece({}, finish="stop"))
        if tokens:
            usage = {
                "prompt_tokens": tokens[0],
                "completion_tokens": tokens[1],
                "total_tokens": sum(tokens),
            }
            wire.event(piece({}) | {"choices": [], "usage": usage})
        wire.end()

    return reply


def calls(name, arguments):
    """A call of a tool whose arguments come in two pieces."""

    def reply(wire):
        wire.begin()
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        first = {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": name, "arguments": text[:3]},
        }
        wire.event(piece({"role": "assistant", "content": None, "tool_calls": [first]}))
        wire.event(piece({"tool_calls": [{"index": 0, "function": {"arguments": text[3:]}}]}))
        wire.event(piece({}, finish="tool_calls"))
        wire.end()

    return reply


def fails(status, message, **headers):
    def reply(wire):
        fails_with(wire, status, {"error": {"message": message}}, **headers)

    return reply


def fails_with(wire, status, document, **headers):
    content = json.dumps(document).encode()
    wire.send_response(status)
    for name, value in headers.items():
        wire.send_header(name.replace("_", "-"), value)
    wire.send_header("Content-Type", "application/json")
    wire.send_header("Content-Length", str(len(content)))
    wire.end_headers()
    wire.wfile.write(content)


def sends(content, kind="text/event-stream"):
    """Raw bytes and a clean end."""

    def reply(wire):
        wire.send_response(200)
        wire.send_header("Content-Type", kind)
        wire.send_header("Content-Length", str(len(content)))
        wire.end_headers()
        wire.wfile.write(content)

    return reply


def breaks_off(wire):
    wire.begin()
    wire.event(piece({"content": '{"cause": "upstream_sch'}))
    wire.close_connection = True


def hangs(wire):
    wire.begin()
    wire.server.released.wait(10)
    wire.close_connection = True


def trickles(wire):
    wire.begin()
    while not wire.server.released.wait(0.02):
        wire.event(piece({"content": " "}))
    wire.close_connection = True


def floods(wire):
    wire.begin()
    wire.event(piece({"content": "x" * 10_000_000}))
    wire.end()
