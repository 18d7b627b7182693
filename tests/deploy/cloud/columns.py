"""From BigQuery's column definitions, partitions and options to the fields of its REST API."""

from typing import Any

from sqlglot import exp

from tests.deploy.cloud.messages import ApiError

__all__ = ["field_of", "first_repeated", "layout_of", "options_of"]

# SQL type -> type in the REST API.
_TYPES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}


def field_of(column: exp.ColumnDef) -> dict[str, Any]:
    """Return a column as a field: name, type, mode, and fields of a struct."""
    kind, mode = column.args["kind"], "NULLABLE"
    if kind.is_type("array"):
        kind, mode = kind.expressions[0], "REPEATED"
    elif any(
        isinstance(part.args.get("kind"), exp.NotNullColumnConstraint) for part in column.args["constraints"]
    ):
        mode = "REQUIRED"
    name = kind.sql("bigquery").partition("<")[0]
    field = {"name": column.name, "type": _TYPES.get(name, name), "mode": mode}
    if kind.is_type("struct"):
        field["fields"] = [field_of(part) for part in kind.expressions]
    for part in column.args.get("constraints", []):
        if isinstance(part.args.get("kind"), exp.Properties):
            field |= options_of(part.args["kind"])
    return field


def layout_of(statement: exp.Create, fields: list[dict[str, Any]]) -> dict[str, Any]:
    """Read PARTITION BY and CLUSTER BY; their columns must exist."""
    types = {field["name"]: field["type"] for field in fields}
    layout: dict[str, Any] = {}
    partition, cluster = statement.find(exp.PartitionedByProperty), statement.find(exp.ClusterProperty)
    for clause in (partition, cluster):
        for column in clause.find_all(exp.Column) if clause is not None else ():
            if column.name not in types:
                raise ApiError(400, f"Unrecognized name: {column.name}", "invalidQuery")
    if partition is not None:
        field = next(column.name for column in partition.find_all(exp.Column))
        if types[field] not in ("DATE", "TIMESTAMP", "DATETIME"):
            raise ApiError(400, f"PARTITION BY cannot use {field}, a {types[field]}.", "invalidQuery")
        layout["timePartitioning"] = {"type": "DAY", "field": field}
    if cluster is not None:
        layout["clustering"] = {"fields": [column.name for column in cluster.find_all(exp.Column)]}
    return layout


def options_of(properties: Any) -> dict[str, Any]:
    """Read OPTIONS (...) whose values are literals, and its labels."""
    if properties is None:
        return {}
    options: dict[str, Any] = {}
    for part in properties.find_all(exp.Property):
        value = part.args.get("value")
        if type(part) is exp.Property and isinstance(value, exp.Literal):
            options[part.name] = value.name
        elif type(part) is exp.Property and part.name == "labels":
            options["labels"] = {
                key.name: text.name for key, text in (pair.expressions for pair in value.expressions)
            }
    return options


def first_repeated(names: list[str]) -> str:
    """Return the first name that occurs twice, or an empty string."""
    return next((name for name in names if names.count(name) > 1), "")
