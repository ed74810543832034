"""Batch files read as pandas tables, and their contracts in YAML."""

from agentops_graph.adapters.pandas_batches.contract_yaml import contract_text, read_contract
from agentops_graph.adapters.pandas_batches.folder import PandasBatches
from agentops_graph.adapters.pandas_batches.tables import BatchFile, arrival, read_batch

__all__ = [
    "BatchFile",
    "PandasBatches",
    "arrival",
    "contract_text",
    "read_batch",
    "read_contract",
]
