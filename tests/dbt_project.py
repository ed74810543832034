"""A dbt manifest in its real shape, made as large as a test wants it."""

import json

SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v{}.json"
PACKAGE = "shop"


def node(name, *needs, kind="model", relation=None, **more):
    """One entry of `nodes`, with the fields that dbt writes for it."""
    unique_id = f"{kind}.{PACKAGE}.{name}"
    return unique_id, {
        "unique_id": unique_id,
        "resource_type": kind,
        "name": name,
        "alias": name,
        "package_name": PACKAGE,
        "path": f"marts/{name}.sql",
        "original_file_path": f"models/marts/{name}.sql",
        "fqn": [PACKAGE, "marts", name],
        "database": "prod",
        "schema": "analytics",
        "relation_name": relation or f'"prod"."analytics"."{name}"',
        "checksum": {"name": "sha256", "checksum": "0" * 64},
        "config": {"enabled": True, "materialized": "table", "tags": [], "meta": {}},
        "columns": {},
        "refs": [{"name": need.split(".")[-1], "package": None, "version": None} for need in needs],
        "sources": [],
        "depends_on": {"macros": [], "nodes": list(needs)},
        "raw_code": "select * from {{ ref('x') }}",
        "language": "sql",
        **more,
    }


def source(schema, name):
    unique_id = f"source.{PACKAGE}.{schema}.{name}"
    return unique_id, {
        "unique_id": unique_id,
        "resource_type": "source",
        "name": name,
        "source_name": schema,
        "identifier": name,
        "package_name": PACKAGE,
        "database": "prod",
        "schema": schema,
        "relation_name": f'"prod"."{schema}"."{name}"',
        "loader": "fivetran",
        "config": {"enabled": True},
        "columns": {},
    }


def exposure(name, *needs, kind="ml"):
    unique_id = f"exposure.{PACKAGE}.{name}"
    return unique_id, {
        "unique_id": unique_id,
        "resource_type": "exposure",
        "name": name,
        "type": kind,
        "package_name": PACKAGE,
        "owner": {"email": None, "name": "fraud team"},
        "maturity": "high",
        "config": {"enabled": True},
        "depends_on": {"macros": [], "nodes": list(needs)},
    }


def manifest(*, nodes=(), sources=(), exposures=(), version=12, disabled=(), maps=True):
    """The document, with parent and child maps as dbt makes them."""
    held = {**dict(nodes), **dict(sources), **dict(exposures)}
    needs = {name: entry.get("depends_on", {}).get("nodes", []) for name, entry in held.items()}
    children = {name: [] for name in held}
    for name, parents in needs.items():
        for parent in parents:
            children.setdefault(parent, []).append(name)
    document = {
        "metadata": {
            "dbt_schema_version": SCHEMA.format(version),
            "dbt_version": "1.10.4",
            "generated_at": "2026-02-28T10:00:00.000000Z",
            "project_name": PACKAGE,
            "adapter_type": "snowflake",
        },
        "nodes": dict(nodes),
        "sources": dict(sources),
        "exposures": dict(exposures),
        "macros": {},
        "docs": {},
        "metrics": {},
        "groups": {},
        "selectors": {},
        "disabled": {name: [entry] for name, entry in disabled},
        "semantic_models": {},
        "saved_queries": {},
        "unit_tests": {},
    }
    return document | ({"parent_map": needs, "child_map": children} if maps else {})


def write_shop(path, **more):
    """orders -> stg_orders -> customer_features -> the exposure fraud_detector."""
    path.write_text(json.dumps(shop(**more)), encoding="utf-8")
    return path


def shop(**more):
    raw = source("raw", "orders")
    staged = node("stg_orders", raw[0])
    features = node("customer_features", staged[0])
    tested = node("not_null_orders_id", raw[0], kind="test")
    return manifest(
        nodes=[staged, features, tested],
        sources=[raw],
        exposures=[exposure("fraud_detector", features[0])],
        **more,
    )
