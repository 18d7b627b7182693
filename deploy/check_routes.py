"""Print every problem of a routes file, and end with 1 if there is one: `check_routes.py FILE`.

It uses the code with which notify_slack reads the file at its start, so it needs Python 3.13.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from functions.notify_slack.routing import routes_file
from pipeline.errors import ConfigurationError

try:
    routes_file.parse(Path(sys.argv[1]).read_text("utf-8-sig"))
except UnicodeDecodeError:
    sys.exit("routes file: it is not UTF-8")
except ConfigurationError as error:
    sys.exit("\n".join(error.problems))
