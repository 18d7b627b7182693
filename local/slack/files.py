"""Uploaded files: a URL is asked for, takes the bytes, and the upload is completed.

https://docs.slack.dev/messaging/working-with-files. Not imitated: multipart uploads, sharing a file in a
channel, snippets, deletion, and `url` of a Slack file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from local.slack.rules.arguments import check_arguments
from local.slack.rules.problems import Arguments, Problem, RefusedError, problems

UPLOADS: Final = "upload/v1/"  # the path of an upload, before its name
_KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of this many bytes; `ready_at` is None until its upload is completed."""

    length: int
    content: bytes | None = None
    ready_at: float | None = None

    @property
    def kind(self) -> str:
        """Return the media type of a picture that a block can show, empty for another file."""
        start = self.content or b""
        return next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), "")


class Files:
    """The files of a workspace; its lock is held by the caller.

    Slack processes a completed file for a while: `delay` seconds, by clock, until a block may show it.
    """

    def __init__(self, delay: float, clock: Callable[[], float]) -> None:
        self._delay = delay
        self._clock = clock
        self._files: dict[str, File] = {}

    def begin(self, arguments: Arguments) -> dict[str, object]:
        """Carry out files.getUploadURLExternal; the URL in the answer lacks its host."""
        _check("files.getUploadURLExternal", arguments)
        length = int(arguments["length"])
        if not length:
            raise RefusedError(Problem(error="missing_argument"))
        if len(str(arguments.get("alt_txt", ""))) > 1000:
            raise RefusedError(Problem(error="alt_txt_too_large"))
        name = f"F0LOCAL{len(self._files):04}"
        self._files[name] = File(length=length)
        return {"upload_url": UPLOADS + name, "file_id": name}

    def take(self, name: str, content: bytes) -> bool:
        """Take the bytes of an upload; return whether it is known and they are as many as announced."""
        file = self._files.get(name)
        if file is None or file.content is not None or len(content) != file.length:
            return False
        self._files[name] = replace(file, content=content)
        return True

    def complete(self, arguments: Arguments) -> dict[str, object]:
        """Carry out files.completeUploadExternal, which keeps the files private."""
        _check("files.completeUploadExternal", arguments)
        completed = arguments["files"]
        for file in (self._files.get(item["id"]) for item in completed):
            if file is None or file.content is None or file.ready_at is not None:
                raise RefusedError(Problem(error="file_not_found"))
        for item in completed:
            ready_at = self._clock() + self._delay
            self._files[item["id"]] = replace(self._files[item["id"]], ready_at=ready_at)
        return {"files": completed}

    def picture(self, name: str) -> File | None:
        """Return a file that a block may show now."""
        file = self._files.get(name)
        if file is None or file.ready_at is None or file.ready_at > self._clock() or not file.kind:
            return None
        return file

    def check_blocks(self, blocks: Sequence[Mapping[str, Any]]) -> None:
        """Raise RefusedError as Slack does if a block shows a file that is no picture, or not yet one."""
        if found := problems("invalid_blocks", self._unshowable(blocks)):
            raise RefusedError(*found)

    def _unshowable(self, blocks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        for index, block in enumerate(blocks):
            if "slack_file" in block and self.picture(block["slack_file"]["id"]) is None:
                yield "invalid slack file", f"/blocks/{index}/slack_file"


def _check(method: str, arguments: Arguments) -> None:
    if found := check_arguments(method, arguments):
        raise RefusedError(*found)
