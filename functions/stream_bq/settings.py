"""The settings of stream_bq."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pipeline.settings import SettingsReader

_TABLE = re.compile(r"([\w.-]+:)?[\w-]+\.\w+\.[\w-]+")  # the project's ID may begin with a domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`table` is PROJECT.DATASET.TABLE."""

    table: str
    store_payload: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raise ConfigurationError naming every wrong setting."""
        with SettingsReader(environment) as read:
            return cls(
                table=read.matching("BIGQUERY_TABLE", _TABLE, "PROJECT.DATASET.TABLE"),
                store_payload=read.boolean("STORE_PAYLOAD", default=True),
            )
