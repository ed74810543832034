"""The section `lineage`: what is made from what."""

LINEAGE = """\
lineage:                          # groups the alerts of a feed and of what is made from it
  edges:
    - transactions -> card_features -> fraud-detector
  dbt: [target/manifest.json]
  openlineage: [lineage/]
  mlflow: false
"""
