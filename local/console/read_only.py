"""Turns a person's SQL into one bounded SELECT on the pipeline's own tables, or says why it cannot (pure).

The engine behind the local BigQuery can read and write files and reach the network. So its own words never
get there: the text is parsed as BigQuery's SQL, every table and function in it must be a known one, and what
runs is written from the parsed query.
"""

import logging
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from local.console.wishes import NotPossible

if TYPE_CHECKING:
    from sqlglot import exp

MAX_SQL: Final = 20_000  # characters
MAX_ROWS: Final = 500
PLACES: Final = {(), ("github",), ("local-dev", "github")}  # before a table's name

_OF_MODELS = ("AI", "ML")  # sqlglot's names of the functions that ask a model
_NAME = re.compile(r"[^\W\d][\w -]{0,127}")


logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of statements, which are refused here


def bounded(sql: str, tables: Collection[str]) -> str:
    """Return the query to run: one row more than MAX_ROWS shows that there are more. Raises NotPossible."""
    import sqlglot  # noqa: PLC0415 - it takes longer to import than the rest of the page
    from sqlglot import errors, exp  # noqa: PLC0415

    if not sql.strip():
        raise NotPossible("write a SELECT first")
    if len(sql) > MAX_SQL:
        raise NotPossible(f"the query is too long: at most {MAX_SQL:,} characters")
    try:
        statements = [each for each in sqlglot.parse(sql, read="bigquery") if each is not None]
    except errors.SqlglotError as error:
        raise NotPossible(f"this is not BigQuery's SQL: {_first_line(error)}") from error
    except RecursionError as error:
        raise NotPossible("the query is nested too deeply") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise NotPossible("only one SELECT is possible here; nothing can be changed")
    query = statements[0]
    try:
        _check(query, tables)
        return _limited(query).sql(dialect="bigquery", comments=False)
    except errors.SqlglotError as error:
        raise NotPossible(f"this is not BigQuery's SQL: {_first_line(error)}") from error
    except RecursionError as error:
        raise NotPossible("the query is nested too deeply") from error


def _check(query: "exp.Query", tables: Collection[str]) -> None:
    from sqlglot import exp  # noqa: PLC0415 - as above

    # Statements, and what reads files or comes from elsewhere.
    refused = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Parameter, exp.SessionParameter, exp.Placeholder)
    refused += (exp.ReadCSV, exp.ReadParquet, exp.ToFile, exp.Predict, exp.Pragma, exp.Copy)
    names = {name.lower() for name in tables}
    named_here = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    for node in query.walk():
        if isinstance(node, exp.With) and node.recursive:
            raise NotPossible("WITH RECURSIVE is not possible here: it may never end")
        if isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)):
            raise NotPossible(f"there is no function {str(node.this)[:60]} here")
        if isinstance(node, refused) or type(node).__name__.startswith(_OF_MODELS):
            raise NotPossible(f"{type(node).__name__} is not possible here; only SELECT is")
        if isinstance(node, exp.Identifier) and not _NAME.fullmatch(node.name) and not _is_path(node):
            raise NotPossible(f"{node.name[:60]!r} cannot be a name here")
        if isinstance(node, exp.Table):
            _check_table(node, names, named_here)


def _check_table(table: "exp.Table", names: Collection[str], named_here: Collection[str]) -> None:
    from sqlglot import exp  # noqa: PLC0415 - as above

    is_named = isinstance(table.this, exp.Identifier)
    *place, name = [part.lower() for each in table.parts for part in each.name.split(".")] or [""]
    is_known = name in names and tuple(place) in PLACES
    if not is_named or not (is_known or (not place and name in named_here)):
        raise NotPossible(
            f"there is no table {table.sql('bigquery')[:60]}; there are {', '.join(sorted(names))}"
        )


def _is_path(name: "exp.Identifier") -> bool:
    """Return whether a name in backticks is a table's whole path."""
    return all(_NAME.fullmatch(part) for part in name.name.split("."))


def _limited(query: "exp.Query") -> "exp.Query":
    """Return the query with a limit of its own, or with ours if it has none or a larger one."""
    from sqlglot import exp  # noqa: PLC0415 - as above

    limit = query.args.get("limit")
    if isinstance(limit, exp.Limit) and isinstance(limit.expression, exp.Literal):
        given = limit.expression.name
        if given.isdigit() and len(given) < 10 and int(given) <= MAX_ROWS:
            return query
    return query.limit(MAX_ROWS + 1)


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return re.sub(r"\x1b\[[0-9;]*m", "", text[0])[:200] if text else type(error).__name__
