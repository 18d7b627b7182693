"""BigQuery: query jobs, datasets, tables and their policies."""

import time
from typing import Any

from sqlglot import exp

from tests.deploy.cloud.ddl import Executed, execute, new_dataset, parse
from tests.deploy.cloud.messages import Answer, ApiError, Request
from tests.deploy.cloud.policies import serve_policies
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State

__all__ = ["bigquery"]

_ROOT = "/bigquery/v2/projects/{project}"
_DATASET = f"{_ROOT}/datasets/{{dataset}}"
_TABLE = f"{_DATASET}/tables/{{table}}"
_REASONS = {400: "invalid", 401: "authError", 403: "accessDenied", 404: "notFound", 409: "duplicate"}


def _render(error: ApiError) -> dict[str, Any]:
    # Without errors[0].reason, bq reports an error as a crash of its own.
    reason = error.reason if error.reason[:1].islower() else _REASONS.get(error.status, "backendError")
    item = {"message": error.message, "domain": "global", "reason": reason}
    return {
        "error": {"code": error.status, "message": error.message, "errors": [item], "status": error.reason}
    }


bigquery = Routes("bigquery.googleapis.com", api="bigquery.googleapis.com", render=_render)


@bigquery.on("POST", f"{_ROOT}/jobs")
def insert_job(state: State, request: Request) -> Any:
    """Run a query or a script; a syntax error is refused at once, a later failure is the error of the job."""
    settings = request.body.get("configuration", {})
    query = settings.get("query")
    if query is None or query.get("useLegacySql", True):
        raise ApiError(400, "the stand-in runs queries in GoogleSQL only (--use_legacy_sql=false)", "invalid")
    statements = parse(query["query"])
    location = request.body.get("jobReference", {}).get("location") or _location(state, statements)
    job = _new_job(state, request.body, location)
    if settings.get("dryRun"):
        kind = "SCRIPT" if len(statements) > 1 else "SELECT"
        job["statistics"] |= {
            "totalBytesProcessed": "0",
            "query": {"statementType": kind, "totalBytesProcessed": "0"},
        }
        return job
    if len(statements) == 1:
        done = execute(state, statements[0], location)
        job["statistics"]["query"] = _statistics(done)
    else:
        job["statistics"]["query"] = {"statementType": "SCRIPT"}
        _run_script(state, job, statements, location)
    state.jobs[job["jobReference"]["jobId"]] = job
    return job


@bigquery.on("GET", f"{_ROOT}/jobs")
def list_jobs(state: State, request: Request) -> Any:
    """List the jobs, or the statements of a script."""
    parent = request.query.get("parentJobId")
    found = [job for job in state.jobs.values() if job["statistics"].get("parentJobId") == parent]
    return {"kind": "bigquery#jobList", "jobs": found[: int(request.query.get("maxResults", "1000"))]}


@bigquery.on("GET", f"{_ROOT}/jobs/{{job}}")
def describe_job(state: State, _: Request, job: str) -> Any:
    """Show a job."""
    if job not in state.jobs:
        raise ApiError(404, f"Not found: Job {state.project}:{job}")
    return state.jobs[job]


@bigquery.on("GET", f"{_ROOT}/queries/{{job}}")
def query_results(state: State, request: Request, job: str) -> Any:
    """Return the rows of a query, of which there are none."""
    return {
        "kind": "bigquery#getQueryResultsResponse",
        "jobReference": describe_job(state, request, job)["jobReference"],
        "jobComplete": True,
        "schema": {"fields": []},
        "totalRows": "0",
        "rows": [],
    }


@bigquery.on("GET", f"{_ROOT}/datasets")
def list_datasets(state: State, _: Request) -> Any:
    """List the datasets."""
    return {"kind": "bigquery#datasetList", "datasets": list(state.datasets.values())}


@bigquery.on("POST", f"{_ROOT}/datasets")
def create_dataset(state: State, request: Request) -> Any:
    """Create a dataset."""
    name = request.body["datasetReference"]["datasetId"]
    if name in state.datasets:
        raise ApiError(409, f"Already Exists: Dataset {state.project}:{name}")
    return new_dataset(state, name, request.body.get("location", "US"))


@bigquery.on("GET", _DATASET)
def describe_dataset(state: State, _: Request, dataset: str) -> Any:
    """Show a dataset."""
    if dataset not in state.datasets:
        raise ApiError(404, f"Not found: Dataset {state.project}:{dataset}")
    return state.datasets[dataset]


@bigquery.on("PATCH PUT", _DATASET)
def update_dataset(state: State, request: Request, dataset: str) -> Any:
    """Change a dataset."""
    old = describe_dataset(state, request, dataset)
    if request.body.get("location", old["location"]) != old["location"]:
        raise ApiError(400, "The location of a dataset cannot be changed.")
    old |= request.body | {"etag": state.etag()}
    return old


@bigquery.on("DELETE", _DATASET)
def delete_dataset(state: State, request: Request, dataset: str) -> Any:
    """Delete a dataset; if it is not empty, only with deleteContents."""
    describe_dataset(state, request, dataset)
    inside = [name for name in state.tables if name.startswith(f"{dataset}.")]
    if inside and request.query.get("deleteContents") != "true":
        raise ApiError(400, f"Dataset {state.project}:{dataset} is still in use", "resourceInUse")
    for name in inside:
        _forget_table(state, *name.split("."))
    del state.datasets[dataset]
    return Answer(status=204)


@bigquery.on("GET", f"{_DATASET}/tables")
def list_tables(state: State, request: Request, dataset: str) -> Any:
    """List tables and views."""
    describe_dataset(state, request, dataset)
    found = [table for name, table in state.tables.items() if name.startswith(f"{dataset}.")]
    return {"kind": "bigquery#tableList", "tables": found, "totalItems": len(found)}


@bigquery.on("GET", _TABLE)
def describe_table(state: State, _: Request, dataset: str, table: str) -> Any:
    """Show a table or view."""
    _table_name(state, dataset, table)
    return state.tables[f"{dataset}.{table}"]


@bigquery.on("PATCH PUT", _TABLE)
def update_table(state: State, request: Request, dataset: str, table: str) -> Any:
    """Change a table or view; what is null in the request stays, as the schema in that of `bq update`."""
    old = describe_table(state, request, dataset, table)
    old |= {name: value for name, value in request.body.items() if value is not None}
    old["etag"] = state.etag()
    return old


@bigquery.on("DELETE", _TABLE)
def delete_table(state: State, _: Request, dataset: str, table: str) -> Any:
    """Delete a table or view."""
    _table_name(state, dataset, table)
    _forget_table(state, dataset, table)
    return Answer(status=204)


@bigquery.on("GET", f"{_TABLE}/data")
def table_rows(state: State, _: Request, dataset: str, table: str) -> Any:
    """Every table is empty."""
    _table_name(state, dataset, table)
    return {"kind": "bigquery#tableDataList", "totalRows": "0"}


def _table_name(state: State, dataset: str, table: str) -> str:
    if f"{dataset}.{table}" not in state.tables:
        raise ApiError(404, f"Not found: Table {state.project}:{dataset}.{table}")
    return f"projects/{state.project}/datasets/{dataset}/tables/{table}"


serve_policies(bigquery, _TABLE, "table", _table_name)


def _forget_table(state: State, dataset: str, table: str) -> None:
    state.policies.pop(_table_name(state, dataset, table), None)
    del state.tables[f"{dataset}.{table}"]


def _location(state: State, statements: list[exp.Expr]) -> str:
    """Return the location of a job that names none: that of its first dataset, by default US."""
    for statement in statements:
        for table in statement.find_all(exp.Table):
            if table.db in state.datasets:
                return str(state.datasets[table.db]["location"])
    return "US"


def _new_job(state: State, body: dict[str, Any], location: str, **statistics: Any) -> dict[str, Any]:
    given = body.get("jobReference", {})
    name = given.get("jobId") or f"job_{state.next_number()}"
    if name in state.jobs:
        raise ApiError(409, f"Already Exists: Job {state.project}:{name}")
    now = str(int(time.time() * 1000))
    return {
        "kind": "bigquery#job",
        "id": f"{state.project}:{location}.{name}",
        "jobReference": {"projectId": state.project, "jobId": name, "location": location},
        "configuration": body.get("configuration", {}),
        "status": {"state": "DONE"},
        "statistics": {"creationTime": now, "startTime": now, "endTime": now, **statistics},
    }


def _run_script(state: State, job: dict[str, Any], statements: list[exp.Expr], location: str) -> None:
    """Run each statement as its own job; statements before a failure stay done."""
    parent = job["jobReference"]["jobId"]
    for statement in statements:
        query = {"query": {"query": statement.sql("bigquery"), "useLegacySql": False}}
        frame = {
            "startLine": 1,
            "startColumn": 1,
            "endLine": 1,
            "endColumn": 1,
            "text": query["query"]["query"],
        }
        script = {"evaluationKind": "STATEMENT", "stackFrames": [frame]}
        child = _new_job(
            state, {"configuration": query}, location, parentJobId=parent, scriptStatistics=script
        )
        try:
            child["statistics"]["query"] = _statistics(execute(state, statement, location))
        except ApiError as error:
            failure = {"reason": _render(error)["error"]["errors"][0]["reason"], "message": error.message}
            job["status"] |= {"errorResult": failure, "errors": [failure]}
            return
        state.jobs[child["jobReference"]["jobId"]] = child
        job["statistics"]["numChildJobs"] = str(int(job["statistics"].get("numChildJobs", "0")) + 1)


def _statistics(done: Executed) -> dict[str, Any]:
    statistics: dict[str, Any] = {"statementType": done.kind, "totalBytesProcessed": "0"}
    if done.performed:
        statistics["ddlOperationPerformed"] = done.performed
    if done.target is not None:
        field = "ddlTargetTable" if "tableId" in done.target else "ddlTargetDataset"
        statistics[field] = done.target
    return statistics
