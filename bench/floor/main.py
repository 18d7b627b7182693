"""The floor: the least that a function can do under the framework."""

import flask
import functions_framework


@functions_framework.http
def floor(_request: flask.Request) -> str:
    """Answer nothing."""
    return ""
