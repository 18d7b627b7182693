"""Cloud Scheduler: jobs that call an address with an identity token."""

import re
from typing import Any

from tests.deploy.cloud.fields import apply_mask, page_of, seconds, unwrap_mask
from tests.deploy.cloud.messages import ApiError, Request
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State

__all__ = ["scheduler"]

scheduler = Routes("cloudscheduler.googleapis.com", api="cloudscheduler.googleapis.com")

_JOBS = "/v1/projects/{project}/locations/{region}/jobs"
_NAME = re.compile(r"[\w-]{1,500}", re.ASCII)
_CRON = re.compile(r"(\S+ ){4}\S+")
_GOOGLE = re.compile(r"https://[\w.-]+\.googleapis\.com/", re.ASCII)
_DEADLINE = (15, 1800)  # seconds


@scheduler.on("GET", _JOBS)
def list_jobs(state: State, request: Request, region: str) -> Any:
    """List the jobs of a region."""
    found = [job for name, job in state.scheduled.items() if f"/{region}/" in name]
    page, more = page_of(found, request.query)
    return ({"jobs": page} if page else {}) | more


@scheduler.on("POST", _JOBS)
def create(state: State, request: Request, region: str) -> Any:
    """Create a job, which is then enabled."""
    name = request.body.get("name", "")
    prefix, _, short = name.rpartition("/")
    if prefix != f"projects/{state.project}/locations/{region}/jobs" or not _NAME.fullmatch(short):
        raise ApiError(400, f"Job name {name} is malformed.")
    if name in state.scheduled:
        raise ApiError(409, f"Job {name} already exists.")
    state.scheduled[name] = _checked(state, request.body) | {"state": "ENABLED"}
    return state.scheduled[name]


@scheduler.on("GET", f"{_JOBS}/{{job}}")
def describe(state: State, _: Request, region: str, job: str) -> Any:
    """Show a job."""
    return state.scheduled[_name(state, region, job)]


@scheduler.on("PATCH", f"{_JOBS}/{{job}}")
def update(state: State, request: Request, region: str, job: str) -> Any:
    """Change the fields that the mask names."""
    name = _name(state, region, job)
    new = apply_mask(state.scheduled[name], request.body, unwrap_mask(request.query.get("updateMask")))
    state.scheduled[name] = _checked(state, new)
    return state.scheduled[name]


@scheduler.on("DELETE", f"{_JOBS}/{{job}}")
def delete(state: State, _: Request, region: str, job: str) -> Any:
    """Delete a job."""
    del state.scheduled[_name(state, region, job)]
    return {}


def _name(state: State, region: str, job: str) -> str:
    name = f"projects/{state.project}/locations/{region}/jobs/{job}"
    if name not in state.scheduled:
        raise ApiError(404, f"Job {name} does not exist.")
    return name


def _checked(state: State, job: dict[str, Any]) -> dict[str, Any]:
    """Return a job; 400 for one that cannot run."""
    target = job.get("httpTarget", {})
    token = target.get("oidcToken") or target.get("oauthToken") or {}
    least, most = _DEADLINE
    if not _CRON.fullmatch(job.get("schedule", "")):
        raise ApiError(400, "Schedule has the wrong format.")
    if not target.get("uri", "").startswith("https://"):
        raise ApiError(400, "HttpTarget.uri must be a URL.")
    # An access token is sent to Google only: https://docs.cloud.google.com/scheduler/docs/http-target-auth
    if "oauthToken" in target and not _GOOGLE.match(target["uri"]):
        raise ApiError(400, "HttpTarget.oauth_token is only allowed for *.googleapis.com.")
    if not least <= seconds(job.get("attemptDeadline", "180s"), "job.attempt_deadline") <= most:
        raise ApiError(400, f"The deadline must be between {least} seconds and {most} seconds.")
    if token and token.get("serviceAccountEmail") not in state.accounts:
        raise ApiError(404, f"Service account {token.get('serviceAccountEmail')} does not exist.")
    return job
