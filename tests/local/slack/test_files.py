"""Uploaded files, and the blocks and pages that show them."""

import urllib.request

import pytest

from local.slack.server import SlackServer
from tests.support.slack_clients import BLOCKS, CHANNEL, CHANNELS, client, error_of, raw

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def shown(file_id: str) -> dict[str, object]:
    """Return a block that shows the file."""
    return {"type": "image", "alt_text": "Open issues", "slack_file": {"id": file_id}}


def test_slacks_own_client_uploads_a_picture_that_the_page_shows(slack, web):
    """Slack's own client uploads a picture, a message shows it by its id, and so does the page."""
    file_id = web.files_upload_v2(filename="backlog.png", content=PNG, alt_txt="Open issues")["file"]["id"]
    assert slack.messages == []
    web.chat_postMessage(channel=CHANNEL, text="The week", blocks=[*BLOCKS, shown(file_id)])
    assert f'<img src="/files/{file_id}" alt="Open issues">' in slack.page()
    with urllib.request.urlopen(f"{slack.origin}/files/{file_id}", timeout=20) as picture:
        assert (picture.headers.get_content_type(), picture.read()) == ("image/png", PNG)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"filename": "a.png", "length": 0}, "missing_argument"),
        ({"filename": "a.png", "length": 9, "alt_txt": "a" * 1001}, "alt_txt_too_large"),
        ({"filename": "", "length": 9}, "invalid_arguments"),
        ({"filename": "a.png", "length": "many"}, "invalid_arguments"),
        ({"filename": "a.png"}, "invalid_arguments"),
    ],
)
def test_an_upload_is_announced_as_it_is(web, arguments, error):
    """An upload needs a name and a size, and its description has a limit."""
    assert error_of(web.api_call, "files.getUploadURLExternal", params=arguments)["error"] == error


def test_the_bytes_are_as_many_as_announced_and_come_once(slack, web):
    """An upload takes as many bytes as announced, once; no other URL takes any."""
    path = web.files_getUploadURLExternal(filename="a.png", length=len(PNG))["upload_url"].removeprefix(
        slack.origin
    )
    assert raw(slack, "POST", path, PNG[1:])[0] == 400
    assert raw(slack, "POST", f"{path}0", PNG)[0] == 400
    assert raw(slack, "POST", path, PNG) == (200, b"OK - 108")
    assert raw(slack, "POST", path, PNG)[0] == 400


def test_only_an_upload_that_has_its_bytes_is_completed_and_once(slack, web):
    """A file that is unknown, has no bytes or is complete already is file_not_found."""
    ticket = web.files_getUploadURLExternal(filename="a.png", length=len(PNG))
    files = [{"id": ticket["file_id"], "title": "a"}]
    for other in ([{"id": "F0UNKNOWN", "title": "a"}], files):
        assert error_of(web.files_completeUploadExternal, files=other)["error"] == "file_not_found"
    raw(slack, "POST", ticket["upload_url"].removeprefix(slack.origin), PNG)
    web.files_completeUploadExternal(files=files)
    assert error_of(web.files_completeUploadExternal, files=files)["error"] == "file_not_found"


def test_a_block_shows_only_a_picture_that_slack_has_processed(clock):
    """A block with an unknown file, a file that is no picture, or one that is not processed is invalid."""
    with SlackServer(channels=CHANNELS, file_delay=2.0, clock=clock) as slack:
        web = client(slack)
        text = web.files_upload_v2(filename="a.txt", content=b"text")["file"]["id"]
        picture = web.files_upload_v2(filename="a.png", content=PNG)["file"]["id"]
        for file_id in ("F0UNKNOWN", text, picture):
            answer = error_of(web.chat_postMessage, channel=CHANNEL, text="a", blocks=[shown(file_id)])
            assert answer["errors"] == ["invalid slack file [json-pointer:/blocks/0/slack_file]"]
        clock.sleep(2)
        assert web.chat_postMessage(channel=CHANNEL, text="a", blocks=[shown(picture)])["ok"]
        answer = error_of(web.chat_postMessage, channel=CHANNEL, text="a", blocks=[shown(text)])
        assert answer["error"] == "invalid_blocks"


def test_files_need_their_scope():
    """Without files:write an upload is refused with missing_scope, which names the scope."""
    with SlackServer(channels=CHANNELS, scopes={"chat:write"}) as slack:
        answer = error_of(client(slack).files_getUploadURLExternal, filename="a.png", length=9)
        assert (answer["error"], answer["needed"]) == ("missing_scope", "files:write")
