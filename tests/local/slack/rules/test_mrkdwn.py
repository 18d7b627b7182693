"""Escaping and constructs in the texts of a message."""

import pytest

from tests.support.slack_blocks import found, plain, section, sentences


@pytest.mark.parametrize(
    "text",
    [
        "&lt;!channel&gt; &amp;",
        "<https://github.com/acme/app/issues/1>",
        "<https://github.com/acme/app?a=1&amp;b=2|a &lt;b&gt; &amp; c>",
        "*<http://localhost:8080/x|x>* _and_ <mailto:a@example.com|mail>",
        "<@U0123456789> <@W0123456789|ann> <#C0123456789> <#C0123456789|bugs>",
        "<!here> <!channel> <!everyone> <!here|here> <!subteam^S0123456789>",
        "<!date^1764000000^{date_short} at {time}|Nov 24> <!date^1^{time}^https://example.com/|then>",
    ],
)
def test_every_construct_of_slack_is_accepted(text):
    """Links, mentions, dates and entities are accepted in mrkdwn and in the top-level text."""
    assert found(section(text), text=text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a < b", "unescaped < at character 2: '< b'"),
        ("a > b", "unescaped > at character 2: '> b'"),
        ("R&D", "unescaped & at character 1: '&D'"),
        ("&quot;", "unescaped & at character 0: '&quot;'"),
        ("<script>", "unescaped < at character 0: '<script>'"),
        ("<!channel", "unescaped < at character 0: '<!channel'"),
        ("<!all>", "unescaped < at character 0: '<!all>'"),
        ("<@octocat>", "unescaped < at character 0: '<@octocat>'"),
        ("<#bugs>", "unescaped < at character 0: '<#bugs>'"),
        ("<javascript:alert(1)|x>", "unescaped < at character 0: '<javascript:alert(1)|x>'"),
        ("<https://e.com|a > b>", "unescaped > at character 20: '>'"),
        ("<https://e.com|a|b>", "unescaped < at character 0: '<https://e.com|a|b>'"),
        ("<https://e.com|>", "unescaped < at character 0: '<https://e.com|>'"),
        ("<https://e.com?a&b|x>", "unescaped < at character 0: '<https://e.com?a&b|x>'"),
        ("<https://e.com|two\nlines>", "unescaped < at character 0: '<https://e.com|two\\nlines'"),
        ("<!date^1764000000^{time}>", "unescaped < at character 0: '<!date^1764000000^{time}'"),
    ],
)
def test_unescaped_text_is_refused_with_its_place(text, place):
    """Unescaped text never reaches the channel, neither in a block nor as the fallback."""
    assert f"{place} [json-pointer:/blocks/0/text/text]" in sentences(section(text))
    assert (("invalid_arguments", f"{place} [json-pointer:/text]")) in found(text=text)


@pytest.mark.parametrize("text", ["a < b", "R&D", "<https://example.com|x>", "<!here>"])
def test_plain_text_has_entities_but_no_constructs(text):
    """A header shows <...> literally, so it must be escaped."""
    assert any("unescaped" in sentence for sentence in sentences({"type": "header", "text": plain(text)}))
