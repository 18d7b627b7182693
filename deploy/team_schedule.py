"""Print when Cloud Scheduler calls digest, as CRON|ZONE, by a team file: `team_schedule.py FILE`.

Prints nothing if the file has no [digest]. Ends with 1 and every problem of the file if there is one. Like
team_sql.py it needs Python 3.13; an older Python takes only a file without [digest].
"""

import re
import sys
from pathlib import Path

EXAMPLE = "C0123456789"

sys.path.insert(0, str(Path(__file__).parents[1]))

path = Path(sys.argv[1])
if sys.version_info >= (3, 13):  # noqa: UP036 - deploy.sh runs this with an older Python if it must
    from pipeline.errors import ConfigurationError
    from pipeline.team import Team

    try:
        team = Team.read({"TEAM_FILE": str(path)}, path.parent)
    except ConfigurationError as error:
        sys.exit("\n".join(error.problems))
    if team.digest is not None:
        if EXAMPLE in team.digest.channels:
            sys.exit(
                f"team file: {EXAMPLE} is the channel of the example; write the id of your channel there"
            )
        print(f"{team.digest.at.minute} {team.digest.at.hour} * * *|{team.hours.zone}")
elif re.search(r"(?m)^\s*\[\s*digest\b", path.read_text("utf-8-sig")):
    sys.exit("team file: to read [digest] here, Python 3.13 is needed")
