"""Rows from files, standard input and request bodies: CSV, JSON and Parquet, in bounded memory."""

from agentops_graph.adapters.row_files.source import FORMATS, FileRows, body_rows, open_rows

__all__ = ["FORMATS", "FileRows", "body_rows", "open_rows"]
