"""The roles that may be granted on each kind of resource; IAM refuses any other, such as a misspelt one."""

from typing import Final

__all__ = ["ROLES"]

_BASIC = {"roles/owner", "roles/editor", "roles/viewer"}
_PUBSUB = {f"roles/pubsub.{name}" for name in ("admin", "editor", "publisher", "subscriber", "viewer")}
_SECRETS = {
    f"roles/secretmanager.{name}"
    for name in ("admin", "secretAccessor", "secretVersionAdder", "secretVersionManager", "viewer")
}
_ACCOUNTS = {
    f"roles/iam.{name}"
    for name in (
        "serviceAccountAdmin",
        "serviceAccountTokenCreator",
        "serviceAccountUser",
        "workloadIdentityUser",
    )
}
_TABLES = {
    f"roles/bigquery.{name}" for name in ("admin", "dataEditor", "dataOwner", "dataViewer", "metadataViewer")
}
_RUN = {f"roles/run.{name}" for name in ("admin", "developer", "invoker", "viewer", "servicesInvoker")}
_FUNCTIONS = {f"roles/cloudfunctions.{name}" for name in ("admin", "developer", "invoker", "viewer")}
_PROJECT_ONLY = {
    "roles/artifactregistry.writer",
    "roles/artifactregistry.reader",
    "roles/bigquery.jobUser",
    "roles/bigquery.user",
    "roles/cloudbuild.builds.builder",
    "roles/cloudbuild.builds.editor",
    "roles/logging.logWriter",
    "roles/logging.viewer",
    "roles/monitoring.metricWriter",
    "roles/monitoring.viewer",
    "roles/pubsub.serviceAgent",
    "roles/resourcemanager.projectIamAdmin",
    "roles/serviceusage.serviceUsageAdmin",
    "roles/storage.admin",
    "roles/storage.objectAdmin",
    "roles/storage.objectCreator",
    "roles/storage.objectViewer",
}

ROLES: Final[dict[str, set[str]]] = {
    "topic": _PUBSUB | _BASIC,
    "subscription": _PUBSUB | _BASIC,
    "secret": _SECRETS | _BASIC,
    "account": _ACCOUNTS | _BASIC,
    "table": _TABLES,
    "service": _RUN | _BASIC,
    "function": _FUNCTIONS | _BASIC,
    "project": _BASIC | _PUBSUB | _SECRETS | _ACCOUNTS | _TABLES | _RUN | _FUNCTIONS | _PROJECT_ONLY,
}
