"""The parts of a payload that are about neither an account nor a repository, in GitHub's shapes (pure)."""

from typing import Any

from ops.send.accounts import API, number_for

type Json = dict[str, Any]


def comment(issue: Json, comment_id: int, user: Json | None, at: str, text: str) -> Json:
    """Return a new comment on the issue."""
    repository_url = issue["url"].rpartition("/issues/")[0]
    url = f"{repository_url}/issues/comments/{comment_id}"
    return {
        "id": comment_id,
        "node_id": f"IC_{comment_id}",
        "url": url,
        "html_url": f"{issue['html_url']}#issuecomment-{comment_id}",
        "issue_url": issue["url"],
        "user": user,
        "created_at": at,
        "updated_at": at,
        "author_association": "NONE" if user == issue["user"] else "MEMBER",
        "body": text,
        "reactions": reactions(url),
        "performed_via_github_app": None,
    }


def reactions(url: str) -> Json:
    """Return the reactions to an issue or a comment that has none."""
    kinds = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(kinds, 0)}


def pull_request(repository: str, number: int, html_url: str) -> Json:
    """Return what an issue shows if it is a pull request."""
    return {
        "url": f"{API}/repos/{repository}/pulls/{number}",
        "html_url": html_url,
        "diff_url": f"{html_url}.diff",
        "patch_url": f"{html_url}.patch",
        "merged_at": None,
    }


def hook(repository: str) -> Json:
    """Return a repository's webhook, as a ping shows it."""
    return {
        "type": "Repository",
        "id": number_for("hook"),
        "name": "web",
        "active": True,
        "events": ["issues", "issue_comment", "repository"],
        "config": {
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": "********",
            "url": "https://ingest.example.com/",
        },
        "url": f"{API}/repos/{repository}/hooks/{number_for('hook')}",
    }
