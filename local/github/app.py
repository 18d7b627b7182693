"""The WSGI application of the API. A parameter that GitHub would ignore is refused: a mistake fails here.

Not imitated: permissions (but those of a GitHub App for webhooks and for changes of issues), secondary rate
limits (but the one for changes, see WriteLimits), ETags, and routes that the blueprints lack.
"""

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from local.github.app_routes import app_routes
from local.github.errors import ApiError, not_found
from local.github.history_routes import history_routes
from local.github.hook_routes import hook_routes
from local.github.stand_in_routes import stand_in_routes
from local.github.state import GitHub
from local.github.write_routes import write_routes


def create_app(github: GitHub, prefix: str = "") -> Flask:
    """Build the application; `prefix` is the path of the API, such as /api/v3 of GitHub Enterprise Server."""
    app = Flask(__name__, static_folder=None)
    app.config.update(PROPAGATE_EXCEPTIONS=True)

    @app.before_request
    def check_access() -> None:
        path = request.path.removeprefix(prefix)
        g.actor = github.check_access(request.headers, path, request.method)
        if new_path := github.new_path(path):
            status = 301 if request.method == "GET" else 307
            location = f"{request.host_url.rstrip('/')}{prefix}{new_path}"
            raise ApiError(status, "Moved Permanently", headers={"Location": location})

    @app.errorhandler(ApiError)
    def refuse(error: ApiError) -> tuple[Response, int, dict[str, str]]:
        return jsonify(error.content), error.status, error.headers

    @app.errorhandler(HTTPException)
    def refuse_route(_error: HTTPException) -> tuple[Response, int, dict[str, str]]:
        return jsonify(not_found().content), 404, {"X-Stand-In": "no route"}

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(github.headers())
        return response

    issues = (history_routes(github, prefix), write_routes(github, prefix))
    app.register_blueprint(stand_in_routes(github))
    for blueprint in (*issues, hook_routes(github), app_routes(github)):
        app.register_blueprint(blueprint, url_prefix=prefix or None)
    return app
