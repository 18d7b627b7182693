"""Print every problem of a routes file, and end with 1 if there is one: `check_routes.py [--channels] FILE`.

--channels prints the ids of the channels instead.

It uses the code with which notify_slack reads the file at its start, which needs Python 3.13. An older Python
finds only the channel of the example.
"""

import re
import sys
from pathlib import Path

EXAMPLE = "C0123456789"

sys.path.insert(0, str(Path(__file__).parents[1]))

try:
    text = Path(sys.argv[-1]).read_text("utf-8-sig")
except UnicodeDecodeError:
    sys.exit("routes file: it is not UTF-8")
if "--channels" in sys.argv:
    uncommented = "\n".join(line.partition("#")[0] for line in text.splitlines())
    print(*dict.fromkeys(re.findall(r"""["']([CG][A-Z0-9]{8,})["']""", uncommented)), sep="\n")
    sys.exit()
if sys.version_info >= (3, 13):  # noqa: UP036 - deploy.sh runs this with an older Python if it must
    from functions.notify_slack.routing import routes_file
    from pipeline.errors import ConfigurationError

    try:
        found = routes_file.parse(text)
    except ConfigurationError as error:
        sys.exit("\n".join(error.problems))
    for warning in found.warnings():
        print(f"    warning: {warning}", file=sys.stderr)
else:
    print(
        "    the routes are checked when notify_slack starts: here, that needs Python 3.13", file=sys.stderr
    )
for number, line in enumerate(text.splitlines(), 1):
    if re.match(rf"[^#]*\b{EXAMPLE}\b", line):
        sys.exit(
            f"line {number}: {EXAMPLE} is the channel of the example; write the id of your channel there"
        )
