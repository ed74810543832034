"""Doors for programs: the MLflow agent, the HTTP service, LangGraph's developer tools."""
