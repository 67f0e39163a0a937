"""``wakeword serve``: hear words in the streams of many clients."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from wakeword.errors import MissingExtraError

EPILOG = """\b
Examples:
  wakeword serve
  wakeword serve --model computer --port 9000 --state-dir /var/lib/wakeword
  wakeword keys add kitchen --scope stream && wakeword serve --host 0.0.0.0
  wakeword serve --host 0.0.0.0 --ssl-certfile cert.pem --ssl-keyfile key.pem

Every option, and some more, can be set in the environment: WAKEWORD_SERVICE_PORT=9000.
docs/service.md lists them.
"""


@click.command(epilog=EPILOG)
@click.option("--host", metavar="ADDRESS",
              help="Address to listen on; beyond this machine keys are needed, see "
                   "\"wakeword keys\". [default: 127.0.0.1]")  # fmt: skip
@click.option("--port", type=int, metavar="N",
              help="Port to listen on; 0 takes a free one. [default: 8765]")  # fmt: skip
@click.option("--state-dir", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
              help="Where thresholds, detections and keys are kept. "
                   "[default: ./wakeword-state]")  # fmt: skip
@click.option("--model", "-m", "models", multiple=True, metavar="MODEL",
              help="Model or word to serve, or a model's folder; repeatable. "
                   "Without it: all installed words.")  # fmt: skip
@click.option("--workers", type=int, metavar="N",
              help="Threads that score. [default: 2, or 1 on one core]")  # fmt: skip
@click.option("--processes", type=int, metavar="N",
              help="Most processes that score beside the server when there are many streams. "
                   "[default: one per core, at most 8]")  # fmt: skip
@click.option("--max-streams", type=int, metavar="N",
              help="Streams at a time; more are refused. [default: 2000]")  # fmt: skip
@click.option("--allowed-origin", "allowed_origins", multiple=True, metavar="ORIGIN",
              help="Origin of a web page that may connect, as https://example.com; "
                   "repeatable.")  # fmt: skip
@click.option("--keep-clips", is_flag=True, default=None,
              help="Keep the sound of each detection in the state folder.")  # fmt: skip
@click.option("--insecure-allow-anyone", is_flag=True, default=None,
              help="Listen beyond this machine without any key.")  # fmt: skip
@click.option("--ssl-certfile", metavar="FILE", type=click.Path(path_type=Path),
              help="Certificate for TLS, with --ssl-keyfile.")  # fmt: skip
@click.option("--ssl-keyfile", metavar="FILE", type=click.Path(path_type=Path),
              help="Private key of the certificate.")  # fmt: skip
@click.option("--log-format", type=click.Choice(["json", "console"]),
              help="Lines of JSON, or text for people. [default: console on a terminal, "
                   "otherwise json]")  # fmt: skip
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]),
              help="The least that is logged. [default: info]")  # fmt: skip
def serve(**options: Any) -> None:
    """Serve the websocket /v1/stream and the REST interface until Ctrl-C.

    Clients: "wakeword stream", or any program that follows docs/protocol.md.
    """
    try:
        from wakeword_service.server import serve as run
        from wakeword_service.settings import ENVIRONMENT_PREFIX, load_settings
    except ImportError as error:
        raise MissingExtraError(str(error.name), "service", "wakeword serve") from error
    chosen = {name: value for name, value in options.items() if value not in (None, ())}
    if f"{ENVIRONMENT_PREFIX}LOG_FORMAT" not in os.environ and sys.stderr.isatty():
        chosen.setdefault("log_format", "console")
    run(load_settings(**chosen))
