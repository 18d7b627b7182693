"""The process of the local BigQuery."""

from pathlib import Path

from local.processes import ROOT, Child, NotReady, free_port

VENV = ROOT / ".venv-bigquery"


def bigquery_server(folder: Path, port: int, project: str) -> Child:
    """Return the server, not started; its log and its data are in `folder`.

    Raises NotReady if it is not installed.
    """
    program = VENV / "bin" / "local-bigquery"
    if not program.exists():
        raise NotReady("The local BigQuery is not installed; run local/setup.sh bigquery")
    ports = [f"--port={port}", f"--grpc-port={free_port()}"]
    options = [f"--project={project}", "--data-dir=bigquery"]  # its SQL allows no apostrophe in the name
    return Child(
        name="bigquery",
        command=[str(program), "serve", "--host=127.0.0.1", *ports, *options],
        log=folder / "bigquery.log",
        folder=folder,
        environment={"HOME": str(VENV / "home")},
    )
