"""The views have the columns of the contract, and BigQuery itself would accept the SQL."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from metrics import queries, times, waiting
from metrics.query import Query
from ops import schema
from ops.replay import stored
from ops.triage import stored as tried
from ops.why import fetch
from tests.support.documents import commands
from tests.support.warehouse import COLUMNS, Warehouse

FILES = schema.files()
ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
QUERIES = [
    value
    for module in (queries, times, waiting, fetch, stored, tried)
    for value in vars(module).values()
    if isinstance(value, Query)
]

# The contract: the columns that every view must have, and their types.
VIEWS = {
    "issue_events": {name: kind.removesuffix(" REQUIRED") for name, kind in COLUMNS.items()},
    "issues": {
        "repository_id": "INT64",
        "repository": "STRING",
        "issue_number": "INT64",
        **dict.fromkeys(("title", "url", "state", "state_reason", "close_reason"), "STRING"),
        **dict.fromkeys(("author", "author_type"), "STRING"),
        **dict.fromkeys(("labels", "assignees"), "STRING REPEATED"),
        **dict.fromkeys(("opened_at", "first_response_at", "first_team_response_at"), "TIMESTAMP"),
        **dict.fromkeys(("first_closed_at", "closed_at", "waiting_since"), "TIMESTAMP"),
        "reopen_count": "INT64",
        **dict.fromkeys(("open_hours", "time_to_first_response_hours", "time_to_close_hours"), "FLOAT64"),
        **dict.fromkeys(("closed_unanswered", "waiting_on_us", "is_bot_authored"), "BOOL"),
        **dict.fromkeys(("left_censored", "response_unknown"), "BOOL"),
    },
    "time_to_close": {
        "repository_id": "INT64",
        "repository": "STRING",
        "n": "INT64",
        **dict.fromkeys(("p50_hours", "p90_hours"), "FLOAT64"),
        **dict.fromkeys(("put_aside", "bot_authored"), "INT64"),
    },
    "time_to_first_response": {
        "repository_id": "INT64",
        "repository": "STRING",
        "n": "INT64",
        **dict.fromkeys(("p50_hours", "p90_hours"), "FLOAT64"),
        **dict.fromkeys(("answered_within_24h", "answered_within_72h", "unanswered", "unknown"), "INT64"),
        **dict.fromkeys(("closed_unanswered", "bot_authored"), "INT64"),
    },
    "reopen_rate": {
        "repository_id": "INT64",
        "repository": "STRING",
        **dict.fromkeys(("closed_issues", "reopened_issues"), "INT64"),
        "rate": "FLOAT64",
    },
    "issues_weekly": {
        "repository_id": "INT64",
        "repository": "STRING",
        "week": "DATE",
        **dict.fromkeys(("opened", "closed", "reopened", "backlog", "active"), "INT64"),
        "closed_ratio": "FLOAT64",
        "p50_hours_to_close": "FLOAT64",
        "p90_hours_to_close": "FLOAT64",
        "p50_hours_to_first_response": "FLOAT64",
    },
    "open_issues": {
        "repository_id": "INT64",
        "repository": "STRING",
        "issue_number": "INT64",
        **dict.fromkeys(("title", "url"), "STRING"),
        "age_hours": "FLOAT64",
        "answered": "BOOL",
        "hours_since_last_event": "FLOAT64",
        **dict.fromkeys(("labels", "assignees"), "STRING REPEATED"),
    },
    "waiting_on_us": {
        "repository_id": "INT64",
        "repository": "STRING",
        "issue_number": "INT64",
        **dict.fromkeys(("title", "url", "author"), "STRING"),
        **dict.fromkeys(("opened_at", "waiting_since"), "TIMESTAMP"),
        **dict.fromkeys(("waiting_hours", "working_hours"), "FLOAT64"),
        **dict.fromkeys(("labels", "assignees"), "STRING REPEATED"),
    },
    "time_in_label": {
        "repository_id": "INT64",
        "repository": "STRING",
        "issue_number": "INT64",
        "label": "STRING",
        "hours": "FLOAT64",
        "open_since": "TIMESTAMP",
    },
    "issues_by_week_opened": {
        "repository_id": "INT64",
        "repository": "STRING",
        "week": "DATE",
        **dict.fromkeys(("opened", "answered_within_24h", "answered_within_72h"), "INT64"),
        **dict.fromkeys(("closed", "still_open"), "INT64"),
        "p50_hours_to_close": "FLOAT64",
    },
    "backlog_age": {
        "repository_id": "INT64",
        "repository": "STRING",
        "n": "INT64",
        **dict.fromkeys(("p50_hours", "p90_hours", "max_hours"), "FLOAT64"),
    },
    "delivery_proof": {
        "day": "DATE",
        "source": "STRING",
        **dict.fromkeys(("expected", "stored", "recovered", "refused", "lost"), "INT64"),
    },
    "accounts": dict.fromkeys(("login", "role"), "STRING"),
    "working_days": {"day": "DATE", **dict.fromkeys(("opens_at", "closes_at"), "TIMESTAMP")},
    "pipeline_delay": {
        "day": "DATE",
        "n": "INT64",
        **dict.fromkeys(("p50_seconds", "p95_seconds", "max_seconds"), "FLOAT64"),
        "recovered": "INT64",
    },
}

TYPES = {"INTEGER": "INT64", "BOOLEAN": "BOOL", "FLOAT": "FLOAT64"}

# https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords
_WORDS = """
ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE
CURRENT DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH
FOLLOWING FOR FROM FULL GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS
JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER
PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT
TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH WITHIN
"""
RESERVED = set(_WORDS.split())

# Functions that BigQuery computes over a window; the local engine accepts more.
# https://cloud.google.com/bigquery/docs/reference/standard-sql/window-function-calls
WINDOWED = {"ROW_NUMBER", "COUNT_IF", "LAST_VALUE", "LAG", "LEAD", "MAX", "MIN", "SUM", "PERCENTILE_CONT"}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_the_columns_of_the_contract(warehouse: Warehouse, dataset: str, view: str) -> None:
    """Each view has the columns and types of the contract."""
    answer = warehouse.client.query(f"SELECT * FROM `{dataset}.{view}` LIMIT 0").result(timeout=30)
    found = {
        field.name: TYPES.get(field.field_type, field.field_type)
        + (" REPEATED" if field.mode == "REPEATED" else "")
        for field in answer.schema
    }
    assert {name: found.get(name) for name in VIEWS[view]} == VIEWS[view]


def test_every_view_is_in_the_contract() -> None:
    """The views of sql/ are those of the contract, one file each."""
    assert {path.stem for name in ("team", "views") for path in (schema.SQL / name).glob("*.sql")} >= set(
        VIEWS
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_bigquery_would_accept_the_views(path: Path) -> None:
    """The SQL is BigQuery's dialect, without reserved names or window functions that it lacks."""
    for statement in schema.statements(path, "github"):
        tree = sqlglot.parse_one(statement, read="bigquery")
        assert not isinstance(tree, exp.Command), "sqlglot did not parse it"
        assert [name for name in _names(tree) if name.upper() in RESERVED] == []
        assert set(_windowed(tree)) <= WINDOWED


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.subject)
def test_bigquery_would_accept_the_commands_queries(query: Query[object]) -> None:
    """The commands' queries obey the same rules: the local engine accepts names that BigQuery refuses."""
    sql = query.sql.replace("${DATASET}", "github").replace("${LIMIT}", "1")
    sql = sql.replace("${WHERE}", "TRUE").replace("${TEXTS}", "TRUE")
    tree = sqlglot.parse_one(sql, read="bigquery")
    assert [name for name in _names(tree) if name.upper() in RESERVED] == []
    assert set(_windowed(tree)) <= WINDOWED


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_bigquery_would_accept_the_documented_queries(page: Path) -> None:
    """The queries of the documents, also those in a bq command, obey them too."""
    text = page.read_text(encoding="utf-8")
    queries = re.findall(r"^```sql\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    queries += [call[-1] for call in commands(text) if call[:1] == ["bq"]]
    for query in queries:
        tree = sqlglot.parse_one(query, read="bigquery")
        assert [name for name in _names(tree) if name.upper() in RESERVED] == []


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.parent.name in {"team", "views"}], ids=lambda path: path.name
)
def test_a_file_has_one_view(path: Path) -> None:
    """A file of sql/team or sql/views has one view of the same name, below a comment that defines it."""
    (statement,) = schema.statements(path, "github")
    create = sqlglot.parse_one(statement, read="bigquery")
    assert isinstance(create, exp.Create)
    assert (create.kind, create.this.name) == ("VIEW", path.stem)
    assert path.read_text().startswith("-- ")


def test_the_rule_sees_reserved_words() -> None:
    """The rule above finds AT, which the local engine accepts as a name and BigQuery refuses."""
    tree = sqlglot.parse_one("SELECT STRUCT(a AS at) AS b FROM t", read="bigquery")
    assert [name for name in _names(tree) if name.upper() in RESERVED] == ["at"]


def _names(tree: exp.Expression) -> Iterator[str]:
    """Yield every name in the SQL that is not quoted."""
    for identifier in tree.find_all(exp.Identifier):
        if not identifier.args.get("quoted"):
            yield identifier.name


def _windowed(tree: exp.Expression) -> Iterator[str]:
    """Yield every window function."""
    for window in tree.find_all(exp.Window):
        function = window.this
        while isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
            function = function.this
        if window.arg_key != "windows":  # those of the WINDOW clause are names
            yield function.sql_name()
