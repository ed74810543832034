"""The section `warehouse`: where rows are kept, when not in the embedded file."""

WAREHOUSE = """\
warehouse:                        # in place of warehouse.db in the data folder
  kind: postgres                  # sqlite | postgres | snowflake
  host: db.internal
  database: ml
  schema: agentops
  user: agentops_reader           # reading is enough
  password_env: AGENTOPS_DB_PASSWORD
"""
