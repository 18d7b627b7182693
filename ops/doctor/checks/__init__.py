"""Every check (pure). The slugs are headings in docs/operations.md."""

from typing import Any

from ops.doctor.checks import cloud, configuration, ingest, slack, webhooks
from ops.doctor.finding import Check

CHECKS: tuple[Check[Any], ...] = (
    *webhooks.CHECKS,
    *ingest.CHECKS,
    *slack.CHECKS,
    *cloud.CHECKS,
    *configuration.CHECKS,
)
