"""The floor: a function under the framework that does nothing."""

import flask
import functions_framework


@functions_framework.http
def floor(_request: flask.Request) -> str:
    """Answer with an empty string."""
    return ""
