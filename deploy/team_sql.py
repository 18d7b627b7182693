"""Fill in the views of sql/team in the SQL on stdin from a team file: `team_sql.py FILE`.

Ends with 1 and every problem of the file if there is one; a missing file is an empty one. It uses the code of
./issuewire schema apply, which needs Python 3.13. An older Python takes only a file without any value.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from ops.team_sql import fill_in

path = Path(sys.argv[1])
if sys.version_info >= (3, 13):  # noqa: UP036 - deploy.sh runs this with an older Python if it must
    from pipeline.errors import ConfigurationError
    from pipeline.team import Team

    try:
        team = Team.read({"TEAM_FILE": str(path)} if path.exists() else {}, path.parent)
    except ConfigurationError as error:
        sys.exit("\n".join(error.problems))
else:
    team = None
    lines = path.read_text("utf-8-sig").splitlines() if path.exists() else []
    if any(line.strip() and not line.lstrip().startswith("#") for line in lines):
        sys.exit("team file: to read it here, Python 3.13 is needed")
sys.stdout.write(fill_in(sys.stdin.read(), team))
