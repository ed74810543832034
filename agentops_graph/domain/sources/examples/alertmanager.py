"""The section `alertmanager`: what the labels of pushed alerts mean."""

ALERTMANAGER = """\
alertmanager:                     # it posts to /api/v1/alerts/alertmanager; docs/http.md
  component_labels: [component, service, job]
  components: {fraud-api: fraud-detector}
  alert_types: {HighLatency: latency, HighErrorRate: provider_outage}
"""
