"""Detection, retrieval and reasoning, each measured alone."""
LABELS = {}
def measured(folder): return {}
