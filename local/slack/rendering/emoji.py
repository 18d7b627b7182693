"""The emoji that Issuewire uses, by their names in Slack."""

import re

_NAME = re.compile(r":([a-z0-9_+-]+):")
_EMOJI = {
    "arrows_counterclockwise": "🔄",
    "bell": "🔔",
    "bug": "🐛",
    "bust_in_silhouette": "👤",
    "card_index_dividers": "🗂️",
    "eyes": "👀",
    "fire": "🔥",
    "hourglass": "⌛",
    "label": "🏷️",
    "large_blue_circle": "🔵",
    "large_green_circle": "🟢",
    "large_purple_circle": "🟣",
    "large_yellow_circle": "🟡",
    "lock": "🔒",
    "memo": "📝",
    "no_entry_sign": "🚫",
    "red_circle": "🔴",
    "rocket": "🚀",
    "rotating_light": "🚨",
    "speech_balloon": "💬",
    "tada": "🎉",
    "unlock": "🔓",
    "warning": "⚠️",
    "white_check_mark": "✅",
    "white_circle": "⚪",
    "wastebasket": "🗑️",
    "x": "❌",
}


def with_emoji(text: str) -> str:
    """Replace each known name between colons by its emoji."""
    return _NAME.sub(lambda match: _EMOJI.get(match[1], match[0]), text)
