"""The section `rest`: any address that answers with JSON, as evidence."""

REST = """\
rest:                             # asked with GET only, such as a provider's status page
  - name: provider-status
    url: https://status.example.com/api/v2/status.json
    components: [support-bot]
    values: {indicator: /status/indicator}
    signals:
      - {signal: "change:provider_incident", value: indicator, none_of: [none]}
"""
