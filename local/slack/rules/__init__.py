"""Slack's rules for one call: how a request is read, and what is wrong with its arguments.

Limits and sentences are Slack's (docs.slack.dev, Block Kit reference and chat.postMessage). Stricter than
Slack on purpose: bad escaping, control characters, unknown arguments and legacy attachments, but for the
plainest in an update, are refused here.
Slack accepts them, and the mistake shows only in the channel. A text that Slack would cut and a metadata type
with which Slack would silently drop the metadata are refused too.
"""
