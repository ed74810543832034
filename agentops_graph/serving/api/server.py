"""Serves the application with uvicorn, after making sure that it may and can have its port."""

import errno
import signal
import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI

from agentops_graph.bootstrap import Workshop
from agentops_graph.errors import AgentOpsError, InputError
from agentops_graph.serving.api.app import create_app

__all__ = ["create_app", "main", "serve"]


def main() -> int:
    """Serves what the environment describes; an error of ours is a line and an exit code."""
    try:
        serve()
    except AgentOpsError as error:
        sys.stderr.write(f"agentops: {error}\n")
        return error.exit_code
    return 0


def serve(
    workshop: Workshop | None = None, host: str | None = None, port: int | None = None
) -> None:
    """Serves until it is told to stop. InputError when the address can't be had."""
    workshop = workshop or Workshop()
    host = host or workshop.settings.http_host
    port = workshop.settings.http_port if port is None else port
    # Links in notices have to lead to where it really listens.
    heard_at = {"http_host": host, "http_port": port or workshop.settings.http_port}
    workshop.settings = workshop.settings.model_copy(update=heard_at)
    app = create_app(workshop)  # a data folder that can't be opened is said here
    with _listening(host, port) as listener:
        _run(app, listener)


def server_of(app: FastAPI) -> uvicorn.Server:
    """Believes no X-Forwarded-For: whoever is on this machine could name any address as theirs."""
    return uvicorn.Server(uvicorn.Config(app, server_header=False, proxy_headers=False))


def _run(app: FastAPI, listener: socket.socket) -> None:
    # uvicorn drains and then sends itself the signal that it caught: a service that was told to
    # end and did is no failure.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: None)
    server_of(app).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
    except OSError as error:
        listener.close()
        in_use = error.errno == errno.EADDRINUSE
        seen = "is in use" if in_use else f"can't be had ({error.strerror})"
        raise InputError(
            f"port {port} on {host} {seen}; choose another with --port or AGENTOPS_HTTP_PORT",
            field="AGENTOPS_HTTP_PORT",
        ) from error
    return listener
