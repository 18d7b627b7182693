"""Settings that several commands read."""

import os
import re
from collections.abc import Mapping

import click

from pipeline.settings import SettingsReader

_PROJECT = r"[a-z0-9.:-]+"
_NAME = r"\w{1,1024}"
_DATASET = re.compile(rf"({_PROJECT})\.({_NAME})", re.ASCII)


def read_topic(environment: Mapping[str, str]) -> str:
    """Return PUBSUB_TOPIC, projects/P/topics/T. Raises ConfigurationError."""
    with SettingsReader(environment) as read:
        return read.topic()


def project_of(topic: str) -> str:
    """Return the project in a topic's full name."""
    return topic.split("/")[1]


def hold_of(topic: str) -> str:
    """Return the full name of the subscription that holds what the topic's subscribers gave up on."""
    return subscription_of(topic, f"{topic.rpartition('/')[2]}-dead-hold")


def subscription_of(topic: str, name: str) -> str:
    """Return the full name of a subscription in the topic's project."""
    return f"projects/{project_of(topic)}/subscriptions/{name}"


def read_store_payload(environment: Mapping[str, str]) -> bool:
    """Return STORE_PAYLOAD, which stream_bq reads too. Raises ConfigurationError."""
    with SettingsReader(environment) as read:
        return read.boolean("STORE_PAYLOAD", default=True)


def find_dataset(project: str | None, dataset: str | None) -> tuple[str, str]:
    """Return project and dataset. BIGQUERY_DATASET supplies what is not given. Raises UsageError."""
    named = os.environ.get("BIGQUERY_DATASET", "").strip()
    default = _DATASET.fullmatch(named)
    if named and default is None and (project is None or dataset is None):
        raise click.UsageError("BIGQUERY_DATASET is not of the form PROJECT.DATASET")
    if project is None and default is None:
        raise click.UsageError("give --project, or set BIGQUERY_DATASET to PROJECT.DATASET")
    default_project, default_dataset = default.groups() if default else ("", "github")
    project = default_project if project is None else project
    dataset = default_dataset if dataset is None else dataset
    if not re.fullmatch(_NAME, dataset, re.ASCII):
        raise click.BadParameter("use letters, digits and underscores only", param_hint="--dataset")
    if not re.fullmatch(_PROJECT, project):
        raise click.BadParameter("is not a project ID", param_hint="--project")
    return project, dataset
