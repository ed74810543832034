"""The section `mlflow`: metrics of runs, and traces of agents."""

MLFLOW = """\
mlflow:                           # experiments that are read; tracking_uri, or the one that is set
  runs:
    fraud-detector:
      experiment: nightly-evaluation
      metrics: {f1: eval_f1}      # column: key in MLflow
  traces:
    support-bot: {experiment: support-bot}
"""
