"""The section `prometheus`: servers that are asked for measures."""

PROMETHEUS = """\
prometheus:                       # measures that a Prometheus server has
  servers:
    - name: main
      url: https://prometheus.internal
      token_env: PROMETHEUS_TOKEN
  components:
    support-bot:                  # as components.yaml names it
      agent_metrics:              # column: query; $step is the step, such as 60s
        latency_p95:
          query: histogram_quantile(0.95, sum by (le) (rate(request_seconds_bucket[$step])))
          scale: 1000             # seconds to milliseconds
        error_rate: sum(rate(requests_failed_total[$step])) / sum(rate(requests_total[$step]))
"""
