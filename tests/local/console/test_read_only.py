"""The SQL box: a bounded SELECT on the pipeline's tables, and nothing else."""

import pytest

from local.console.examples import EXAMPLES
from local.console.read_only import MAX_ROWS, MAX_SQL, bounded
from local.console.wishes import NotPossible
from local.processes import ROOT

TABLES = {path.stem for path in (ROOT / "sql").rglob("*.sql")}


def refusal(sql: str) -> str:
    """Return why a query is refused."""
    with pytest.raises(NotPossible) as caught:
        bounded(sql, TABLES)
    return str(caught.value)


@pytest.mark.parametrize("sql", EXAMPLES.values(), ids=list(EXAMPLES))
def test_every_example_may_run(sql: str) -> None:
    """The examples of the page are questions that it answers."""
    assert bounded(sql, TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM github.issues",
        "SELECT * FROM `local-dev.github.issues`",
        "SELECT * FROM `local-dev`.github.issues AS i JOIN issue_events USING (repository_id)",
        "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT * FROM b CROSS JOIN a",
        "SELECT label FROM issues, UNNEST(labels) AS label",
        "(SELECT 1) UNION ALL SELECT 2",
        "SELECT 'a;b -- c' AS `a name`;",
        "SELECT state, COUNT(*) FROM issues GROUP BY state QUALIFY ROW_NUMBER() OVER (ORDER BY state) = 1",
        "SELECT JSON_VALUE(payload, '$.issue.title'), payload.issue.number FROM events",
        "SELECT * EXCEPT (history) FROM issues /* one */ WHERE title LIKE '%read_csv(%' # two",
        "SELECT label FROM issues AS i, i.labels AS label",
        "FROM issues",
    ],
)
def test_a_question_may_be_written_as_in_bigquery(sql: str) -> None:
    """Names, joins, subqueries, windows, arrays and comments of BigQuery's SQL are taken."""
    query = bounded(sql, TABLES)
    assert "/*" not in query
    assert f"LIMIT {MAX_ROWS + 1}" in query


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM read_parquet('http://127.0.0.1/x')",
        "SELECT * FROM read_json_auto('x')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM sniff_csv('x')",
        "SELECT * FROM parquet_metadata('x')",
        "SELECT * FROM ST_Read('x')",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM query_table('x.csv')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM pragma_version()",
        "SELECT * FROM sqlite_scan('x', 'y')",
        "SELECT * FROM EXTERNAL_QUERY('a', 'b')",
        "SELECT * FROM ML.PREDICT(MODEL m, TABLE issues)",
        "SELECT * FROM TABLE(f())",
        "SELECT * FROM ROWS FROM (f())",
        "SELECT AI.GENERATE('x')",
        "SELECT read_text('/etc/passwd')",
        "SELECT getenv('HOME')",
        "SELECT current_setting('secret_directory')",
        "SELECT getvariable('x')",
        "SELECT json_execute_serialized_sql('x')",
        "SELECT main.f(1)",
        "SELECT (SELECT content FROM read_text('/etc/passwd'))",
        "SELECT * FROM issues WHERE title IN (SELECT content FROM read_text('/etc/passwd'))",
    ],
)
def test_no_function_of_the_engine_is_called(sql: str) -> None:
    """What reads files, settings or the network is refused, wherever it stands."""
    assert refusal(sql)


@pytest.mark.parametrize(
    "table",
    [
        "'file.csv'", "`file.csv`", "`/etc/passwd`", "`http://127.0.0.1/x.parquet`", "file.csv", "`x`",
        "issues, 'file.csv'", "issues JOIN `file.csv` ON TRUE", "other.issues", "`p.d.issues`",
        "a.b.c.issues", "information_schema.tables", "github.INFORMATION_SCHEMA.TABLES", "sqlite_master",
        "emulator.jobs", "`github.issues.csv`", '`issues"; DROP TABLE x; --`',
        "`local-dev.github.issues/../x`", "`*`", "github.`__TABLES__`", "duckdb_tables",
        "pg_catalog.pg_class",
    ],
)  # fmt: skip
def test_no_other_table_is_read(table: str) -> None:
    """A file, an address, another dataset and the engine's own tables are no tables here."""
    assert refusal(f"SELECT * FROM {table}")
    assert refusal(f"WITH a AS (SELECT * FROM {table}) SELECT * FROM a")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE issues",
        "INSERT INTO events (event) VALUES ('x')",
        "WITH a AS (SELECT 1) INSERT INTO events SELECT * FROM a",
        "WITH a AS (INSERT INTO events (event) VALUES ('x') RETURNING *) SELECT * FROM a",
        "UPDATE events SET event = 'x' WHERE TRUE",
        "DELETE FROM events WHERE TRUE",
        "MERGE events USING events ON FALSE WHEN NOT MATCHED THEN INSERT ROW",
        "TRUNCATE TABLE events",
        "CREATE TABLE x AS SELECT 1",
        "CREATE TEMP FUNCTION f() AS (1); SELECT f()",
        "CREATE TEMP FUNCTION f() RETURNS INT64 LANGUAGE js AS 'return 1'",
        "CREATE OR REPLACE VIEW issues AS SELECT 1",
        "ALTER TABLE events ADD COLUMN x INT64",
        "DROP TABLE events",
        "COPY events TO 'x'",
        "COPY (SELECT 1) TO 'x'",
        "ATTACH 'x.db'",
        "DETACH x",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "SET x = 1",
        "RESET x",
        "USE github",
        "CALL f()",
        "EXPORT DATA OPTIONS (uri = 'gs://x/*') AS SELECT 1",
        "LOAD DATA INTO events FROM FILES (uris = ['x'])",
        "EXECUTE IMMEDIATE 'SELECT 1'",
        "BEGIN SELECT 1; END",
        "BEGIN TRANSACTION",
        "DECLARE x INT64",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM events WHERE TRUE",
        "DESCRIBE issues",
        "SHOW TABLES",
        "VACUUM",
        "CHECKPOINT",
        "VALUES (1)",
        "TABLE issues",
        "SELECT 1 INTO x",
        "SELECT @x",
        "SELECT ?",
        "SELECT @@project_id",
        "/* SELECT 1 */ DROP TABLE events",
        "SELECT 1 /*; DROP TABLE events; */; DROP TABLE events",
        "SELECT 1 -- \nDROP TABLE events",
        "SELECT 'a\\'; DROP TABLE events; --'; DROP TABLE events",
        "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a) SELECT * FROM a",
        "",
        "  ;  ",
        "-- nothing",
        "hello",
        "SELECT (",
        "SELECT 'x",
        "\x00",
    ],
)  # fmt: skip
def test_nothing_but_one_select_runs(sql: str) -> None:
    """A statement that changes something, several statements, and what cannot be read are refused."""
    assert "\n" not in refusal(sql)


def test_the_number_of_rows_is_limited() -> None:
    """A query has a limit of its own, or ours; another's cannot be larger."""
    assert bounded("SELECT * FROM issues LIMIT 7", TABLES).endswith("LIMIT 7")
    for limit in ("", "LIMIT 100000", "LIMIT 9999999999999", "LIMIT 1 + 100000"):
        assert bounded(f"SELECT * FROM issues {limit}", TABLES).endswith(f"LIMIT {MAX_ROWS + 1}")
    assert bounded("SELECT 1 UNION ALL SELECT 2 LIMIT 5000", TABLES).endswith(f"LIMIT {MAX_ROWS + 1}")
    assert bounded("(SELECT * FROM issues)", TABLES).endswith(f"LIMIT {MAX_ROWS + 1}")


def test_a_long_or_deep_query_is_refused() -> None:
    """Size and depth are bounded before anything runs."""
    assert "too long" in refusal(f"SELECT {'1,' * MAX_SQL} 1")
    assert refusal(f"SELECT {'(' * 9_000}1{')' * 9_000}")


def test_the_engine_gets_what_was_checked() -> None:
    """What runs is written from the parsed query: no comment and no other spelling gets through."""
    query = bounded("SELECT /*! x */ r'a\\'' AS b FROM issues # '\n WHERE '''a'b''' = title", TABLES)
    assert "x" not in query.replace("text", "")
    assert "#" not in query
