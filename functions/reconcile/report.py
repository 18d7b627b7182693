"""What a run did, and why it did not see everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipeline.errors import PipelineError

from .problems import Problem


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run did: `failures` are why it did not see everything."""

    failures: list[PipelineError] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Keep a failure, so that the other parts go on."""
        try:
            yield
        except PipelineError as failure:
            self.failures.append(failure)
