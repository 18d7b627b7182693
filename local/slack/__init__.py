"""The local Slack: a strict stand-in for the Web API and incoming webhooks, and a page of the messages.

Not imitated: people and their posts, joining, broadcasts, the age limit of updates, the users of a thread;
of files, what local.slack.files names.
"""
