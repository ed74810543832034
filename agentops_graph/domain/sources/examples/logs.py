"""The section `logs`: where the logs of components and their feeds lie."""

LOGS = """\
logs:                             # read around an onset only, as evidence
  - name: loader
    kind: files                   # files | loki | elasticsearch
    path: /var/log/loader/*.log
    components: [transactions]
  - name: cluster
    kind: loki
    url: https://loki.internal
    query: '{app="$component"}'
    token_env: LOKI_TOKEN
    components: [fraud-detector]
"""
