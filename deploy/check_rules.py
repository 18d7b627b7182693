"""Print every problem of the rules of triage, and end with 1 if there is one: `check_rules.py FILE`.

It uses the code with which triage reads the file at its start, which needs Python 3.13.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

try:
    text = Path(sys.argv[1]).read_text("utf-8-sig")
except UnicodeDecodeError:
    sys.exit("triage file: it is not UTF-8")
if sys.version_info >= (3, 13):  # noqa: UP036 - deploy.sh runs this with an older Python if it must
    from functions.triage import rules_file
    from pipeline.errors import ConfigurationError

    try:
        rules_file.parse(text)
    except ConfigurationError as error:
        sys.exit("\n".join(error.problems))
else:
    print("    the rules are checked when triage starts: here, that needs Python 3.13", file=sys.stderr)
