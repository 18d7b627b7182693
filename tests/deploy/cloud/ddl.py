"""BigQuery's DDL: a script is parsed as a whole, then its statements are executed one by one."""

import logging
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from tests.deploy.cloud.columns import field_of, first_repeated, layout_of, options_of
from tests.deploy.cloud.messages import ApiError
from tests.deploy.cloud.state import State

__all__ = ["Executed", "execute", "new_dataset", "parse", "reference"]

# Where the parser fails it returns a Command and logs a warning; here that is an error.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """One executed statement: its type and text, what it did to which table or dataset."""

    kind: str
    text: str
    performed: str = ""
    target: dict[str, str] | None = None


def parse(script: str) -> list[exp.Expr]:
    """Parse a script; 400 invalidQuery unless every part of it is BigQuery SQL that the stand-in knows."""
    try:
        found = [part for part in sqlglot.parse(script, dialect="bigquery") if part is not None]
    except (ParseError, TokenError) as error:
        raise ApiError(400, f"Syntax error: {str(error).splitlines()[0]}", "invalidQuery") from error
    statements = [part for part in found if not isinstance(part, exp.Semicolon)]
    if not statements:
        raise ApiError(400, "Syntax error: Unexpected end of statement", "invalidQuery")
    for statement in statements:
        if isinstance(statement, exp.Command):
            raise ApiError(400, f"Syntax error: cannot read {_text(statement)[:80]}", "invalidQuery")
    return statements


def execute(state: State, statement: exp.Expr, location: str) -> Executed:
    """Execute one statement in a location such as `US`; of a query, only the tables are checked."""
    match statement:
        case exp.Create(kind="SCHEMA"):
            return _create_schema(state, statement, location)
        case exp.Create(kind="TABLE"):
            return _create_table(state, statement, location)
        case exp.Create(kind="VIEW"):
            return _create_view(state, statement, location)
        case exp.Alter(kind="TABLE"):
            return _alter_table(state, statement, location)
        case exp.Drop(kind="TABLE" | "VIEW"):
            return _drop(state, statement, location)
        case exp.Query():
            _check_tables(state, statement, location)
            return Executed(kind="SELECT", text=_text(statement))
    raise ApiError(400, f"the stand-in does not execute {_text(statement)[:80]}", "invalidQuery")


def new_dataset(state: State, name: str, location: str, **more: Any) -> dict[str, Any]:
    """Store a dataset and return it."""
    state.datasets[name] = {
        "kind": "bigquery#dataset",
        "id": f"{state.project}:{name}",
        "datasetReference": {"projectId": state.project, "datasetId": name},
        "location": location,
        "etag": state.etag(),
        "creationTime": "1767225600000",
        "lastModifiedTime": "1767225600000",
        **more,
    }
    return state.datasets[name]


def reference(state: State, dataset: str, table: str) -> dict[str, str]:
    """Name a table as the API does."""
    return {"projectId": state.project, "datasetId": dataset, "tableId": table}


def _create_schema(state: State, statement: exp.Create, location: str) -> Executed:
    name = _dataset_of(state, statement.this)
    text, target = _text(statement), {"projectId": state.project, "datasetId": name}
    if name in state.datasets:
        if not statement.args.get("exists"):
            raise ApiError(409, f"Already Exists: Dataset {state.project}:{name}", "duplicate")
        _require_dataset(state, name, location)
        return Executed(kind="CREATE_SCHEMA", text=text, performed="SKIP", target=target)
    options = options_of(statement.args.get("properties"))
    located = statement.find(exp.LocationProperty)
    wanted = location if located is None else located.this.name
    if wanted.upper() != location.upper():
        raise ApiError(400, f"Cannot create a dataset in {wanted} with a job in {location}.", "invalid")
    new_dataset(state, name, wanted, **options)
    return Executed(kind="CREATE_SCHEMA", text=text, performed="CREATE", target=target)


def _create_table(state: State, statement: exp.Create, location: str) -> Executed:
    schema = statement.this
    is_list = isinstance(schema, exp.Schema)
    dataset, name = _table_of(state, schema.this if is_list else schema, location)
    done = _stored(state, statement, dataset, name, "TABLE")
    if done.performed == "SKIP":
        return done
    fields = (
        [field_of(column) for column in schema.find_all(exp.ColumnDef) if column.parent is schema]
        if is_list
        else []
    )
    if duplicate := first_repeated([field["name"].lower() for field in fields]):
        raise ApiError(400, f"Duplicate column name {duplicate} in table.", "invalidQuery")
    table = _resource(state, dataset, name, "TABLE") | {"schema": {"fields": fields}}
    table |= layout_of(statement, fields) | options_of(statement.args.get("properties"))
    state.tables[f"{dataset}.{name}"] = table
    return done


def _create_view(state: State, statement: exp.Create, location: str) -> Executed:
    target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    dataset, name = _table_of(state, target, location)
    _check_tables(state, statement.expression, location)
    done = _stored(state, statement, dataset, name, "VIEW")
    if done.performed != "SKIP":
        view = {"query": statement.expression.sql("bigquery"), "useLegacySql": False}
        resource = _resource(state, dataset, name, "VIEW") | options_of(statement.args.get("properties"))
        state.tables[f"{dataset}.{name}"] = resource | {"view": view}
    return done


def _stored(state: State, statement: exp.Create, dataset: str, name: str, kind: str) -> Executed:
    """Decide between CREATE, REPLACE and SKIP; 409 for an existing table or view."""
    old = state.tables.get(f"{dataset}.{name}")
    performed = "CREATE"
    if old is not None:
        if statement.args.get("exists"):
            performed = "SKIP"
        elif not statement.args.get("replace"):
            raise ApiError(409, f"Already Exists: Table {state.project}:{dataset}.{name}", "duplicate")
        elif old["type"] != kind:
            raise ApiError(
                400, f"{dataset}.{name} is currently a {old['type']}, not a {kind}.", "invalidQuery"
            )
        else:
            performed = "REPLACE"
    return Executed(
        kind=f"CREATE_{kind}",
        text=_text(statement),
        performed=performed,
        target=reference(state, dataset, name),
    )


def _alter_table(state: State, statement: exp.Alter, location: str) -> Executed:
    dataset, name = _table_of(state, statement.this, location)
    table = state.tables.get(f"{dataset}.{name}")
    if table is None:
        raise ApiError(404, f"Not found: Table {state.project}:{dataset}.{name}", "notFound")
    for action in statement.args["actions"]:
        if isinstance(action, exp.ColumnDef):
            _add_column(table, action)
        elif isinstance(action, exp.AlterSet):
            table |= options_of(action.find(exp.Properties))
        else:
            raise ApiError(400, f"the stand-in does not execute {action.sql('bigquery')}", "invalidQuery")
    return Executed(
        kind="ALTER_TABLE",
        text=_text(statement),
        performed="ALTER",
        target=reference(state, dataset, name),
    )


def _add_column(table: dict[str, Any], column: exp.ColumnDef) -> None:
    field = field_of(column)
    if any(old["name"].lower() == field["name"].lower() for old in table["schema"]["fields"]):
        if not column.args.get("exists"):
            raise ApiError(400, f"Column already exists: {field['name']}", "invalidQuery")
        return
    if field["mode"] == "REQUIRED":
        raise ApiError(
            400, f"Cannot add required columns to an existing schema: {field['name']}", "invalidQuery"
        )
    table["schema"]["fields"].append(field)


def _drop(state: State, statement: exp.Drop, location: str) -> Executed:
    kind = statement.args["kind"]
    dataset, name = _table_of(state, statement.find(exp.Table), location)
    old = state.tables.get(f"{dataset}.{name}")
    if old is None and not statement.args.get("exists"):
        raise ApiError(404, f"Not found: Table {state.project}:{dataset}.{name}", "notFound")
    if old is not None and old["type"] != kind:
        raise ApiError(400, f"{dataset}.{name} is a {old['type']}, not a {kind}.", "invalidQuery")
    state.tables.pop(f"{dataset}.{name}", None)
    return Executed(
        kind=f"DROP_{kind}",
        text=_text(statement),
        performed="DROP" if old else "SKIP",
        target=reference(state, dataset, name),
    )


def _check_tables(state: State, query: exp.Expr, location: str) -> None:
    """Refuse a query that reads a missing table; WITH clauses and arrays of its sources are not tables."""
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    aliases = {table.alias_or_name for table in query.find_all(exp.Table)} | own
    for table in query.find_all(exp.Table):
        if not table.name or (not table.db and table.name in own) or (table.db in aliases):
            continue
        if "INFORMATION_SCHEMA" in table.sql("bigquery").upper():
            continue
        dataset, name = _table_of(state, table, location)
        if f"{dataset}.{name}" not in state.tables:
            raise ApiError(
                404,
                f"Not found: Table {state.project}:{dataset}.{name} was not found in location {location}",
                "notFound",
            )


def _table_of(state: State, table: Any, location: str) -> tuple[str, str]:
    if not table.db:
        raise ApiError(400, f'Table "{table.name}" must be qualified with a dataset.', "invalid")
    _check_project(state, table.catalog)
    _require_dataset(state, table.db, location)
    return table.db, table.name


def _dataset_of(state: State, schema: Any) -> str:
    _check_project(state, schema.catalog)
    return str(schema.db)


def _check_project(state: State, project: str) -> None:
    if project not in ("", state.project):
        raise ApiError(403, f"Access Denied: Project {project}", "accessDenied")


def _require_dataset(state: State, name: str, location: str) -> None:
    dataset = state.datasets.get(name)
    if dataset is None or dataset["location"].upper() != location.upper():
        raise ApiError(
            404, f"Not found: Dataset {state.project}:{name} was not found in location {location}", "notFound"
        )


def _resource(state: State, dataset: str, name: str, kind: str) -> dict[str, Any]:
    return {
        "kind": "bigquery#table",
        "id": f"{state.project}:{dataset}.{name}",
        "tableReference": reference(state, dataset, name),
        "type": kind,
        "location": state.datasets[dataset]["location"],
        "etag": state.etag(),
        "creationTime": "1767225600000",
        "lastModifiedTime": "1767225600000",
        "numRows": "0",
        "numBytes": "0",
    }


def _text(statement: exp.Expr) -> str:
    return statement.sql("bigquery")
