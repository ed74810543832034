"""The service: `python serve.py`, or `uvicorn serve:app`."""

from agentops_graph.serving.api.server import create_app, main

if __name__ == "__main__":
    raise SystemExit(main())
app = create_app()
