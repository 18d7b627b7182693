"""What is sent to a target: it continues the issue as the target's GitHub, or the memory, has it."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from ops.send.local_github import LocalGitHub
from ops.send.memory import IssueMemory
from ops.send.outgoing import Draft, Outgoing
from ops.send.target import Target


@contextmanager
def prepared(draft: Draft, target: Target) -> Iterator[Outgoing]:
    """Yield the delivery, to be sent in the block.

    At the GitHub of a running make serve the issue has changed before, as at GitHub. For any other target it
    is remembered if the block ends without an error. Raises ClickException.
    """
    github = LocalGitHub.of(target)
    if github is not None:
        yield github.finish(draft, store=True)
        return
    memory = IssueMemory.of(target)
    with memory.locked() if draft.name else nullcontext():
        outgoing = draft.finish(memory.recall(draft.name) if draft.name else None)
        yield outgoing
        if draft.name:
            memory.keep(draft.name, outgoing.issue)


def preview(draft: Draft, target: Target) -> Outgoing:
    """Return what would be sent; nothing changes. Raises ClickException."""
    github = LocalGitHub.of(target)
    if github is not None:
        return github.finish(draft, store=False)
    return draft.finish(IssueMemory.of(target).recall(draft.name) if draft.name else None)
