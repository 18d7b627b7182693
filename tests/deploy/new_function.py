"""A fourth function, added to a scratch checkout by its folder and its table alone."""

from pathlib import Path

__all__ = ["add_function"]

_MAIN = '''"""log_only writes a line per message."""

import functions_framework

from .lines import line


@functions_framework.http
def log_only(request):
    """Acknowledge a message."""
    print(line(request))
    return ""
'''
_TABLE = """\
setting LOG_LEVEL info 'info|debug' 'is neither info nor debug'
TRIGGER=push
PACKAGES=(pipeline)
ROLES=("roles/bigquery.jobUser project")
ENVIRONMENT=(LOG_LEVEL="$LOG_LEVEL")
FLAGS=(--cpu=1 --memory=256Mi --concurrency=8 --timeout=30s --max-instances=1)
"""


def add_function(checkout: Path) -> None:
    """Add functions/log_only with a sub-package, and deploy/functions/log_only.sh; change nothing else."""
    folder = checkout / "functions/log_only"
    (folder / "lines").mkdir(parents=True)
    (folder / "main.py").write_text(_MAIN)
    (folder / "lines/__init__.py").write_text("def line(request):\n    return request.path\n")
    (folder / "requirements.txt").write_text("functions-framework\n")
    (checkout / "deploy/functions/log_only.sh").write_text(_TABLE)
