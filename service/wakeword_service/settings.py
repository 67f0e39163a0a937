"""Everything that the owner of a server may choose, from the environment or the command line."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from wakeword.errors import ConfigError

ENVIRONMENT_PREFIX = "WAKEWORD_SERVICE_"

Listed = Annotated[tuple[str, ...], NoDecode]
"""In the environment: values separated by commas."""


class Settings(BaseSettings):
    """What a server is started with; each value is ``WAKEWORD_SERVICE_<NAME>`` in the environment.

    The descriptions are the table in docs/service.md.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, frozen=True, extra="forbid", validate_default=True
    )

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8765, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    state_dir: Path = Field(
        Path("wakeword-state"),
        description="Folder for thresholds, detections, keys and clips; made where it is missing.",
    )
    models: Listed = Field(
        (),
        description="Models or words to serve, as `wakeword detect --model`; empty: all installed.",
    )
    workers: int = Field(
        default_factory=lambda: min(2, os.cpu_count() or 1), ge=1, le=64,
        description="Threads that score; they share one interpreter.",
    )  # fmt: skip
    processes: int = Field(
        default_factory=lambda: min(8, os.cpu_count() or 1), ge=0, le=64,
        description="Most processes that score beside the server, 60 MB each; they start when "
        "they are needed.",
    )  # fmt: skip
    streams_here: int = Field(
        16, ge=0, le=100_000,
        description="Streams at a time that the server scores itself, before it starts processes.",
    )  # fmt: skip
    gather_ms: float = Field(
        20.0, ge=0.0, le=100.0,
        description="How long audio that is due waits for that of other streams, to be scored "
        "with it in one go.",
    )  # fmt: skip
    max_streams: int = Field(
        2000, ge=1, le=100_000, description="Streams at a time; more are refused."
    )
    max_streams_per_key: int = Field(
        2000, ge=1, le=100_000,
        description="Streams at a time of one key that has no limit of its own.",
    )  # fmt: skip
    message_bytes: int = Field(
        1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="Largest message of a client."
    )
    buffer_s: float = Field(
        5.0, ge=0.5, le=60.0,
        description="Audio of one stream that may wait for scoring; beyond it the socket is not "
        "read.",
    )  # fmt: skip
    idle_s: float = Field(
        30.0, gt=0.0, le=86_400.0, description="A stream that sends no audio for so long is ended."
    )
    start_timeout_s: float = Field(
        10.0, gt=0.0, le=300.0, description="Time for a client to send its `start` message."
    )
    send_timeout_s: float = Field(
        20.0, gt=0.0, le=3600.0,
        description="A client that takes none of our messages for so long is closed.",
    )  # fmt: skip
    ping_s: float = Field(
        20.0, gt=0.0, le=3600.0,
        description="Time between websocket pings, and for the answer to each.",
    )  # fmt: skip
    lag_limit_ms: float = Field(
        1000.0, ge=100.0, le=60_000.0,
        description="Scoring later than this is overload: new streams and REST calls that cost "
        "are refused until the lag is below half of it.",
    )  # fmt: skip
    silence_s: float = Field(
        20.0, ge=1.0, le=86_400.0,
        description="After so much silence and nothing else a stream is warned.",
    )  # fmt: skip
    max_upload_bytes: int = Field(
        256 * 1024 * 1024, ge=1024, le=64 * 1024**3, description="Largest upload over REST."
    )
    job_seconds: float = Field(
        3600.0, gt=0.0, le=7 * 86_400.0, description="Longest time that a calibration may run."
    )
    keep_clips: bool = Field(
        False, description="Keep the sound of each detection. This is a microphone in a home: off."
    )
    clip_retention_h: float = Field(
        24.0, gt=0.0, le=24.0 * 3660, description="Hours after which a kept clip is deleted."
    )
    clip_max_bytes: int = Field(
        100 * 1024 * 1024, ge=0, le=1024**4,
        description="Space for kept clips; the oldest are deleted first.",
    )  # fmt: skip
    allowed_origins: Listed = Field(
        (),
        description="Origins of web pages that may connect from a browser, besides the server's "
        "own.",
    )
    login_failures_per_minute: int = Field(
        10, ge=1, le=100_000, description="Failed logins per address before it must wait."
    )
    insecure_allow_anyone: bool = Field(
        False, description="Listen beyond loopback although there is no key: anybody may connect."
    )
    ssl_certfile: Path | None = Field(None, description="Certificate (PEM) for TLS.")
    ssl_keyfile: Path | None = Field(None, description="Private key (PEM) of the certificate.")
    shutdown_s: float = Field(
        10.0, ge=0.0, le=600.0,
        description="Time at shutdown for streams to get their summary.",
    )  # fmt: skip
    log_format: Literal["json", "console"] = Field(
        "json", description="Lines of JSON, or text for people."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged."
    )

    @field_validator("models", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @model_validator(mode="after")
    def _files_fit(self) -> Self:
        if (self.ssl_certfile is None) != (self.ssl_keyfile is None):
            raise ValueError("ssl_certfile and ssl_keyfile belong together: give both or none")
        for name in ("ssl_certfile", "ssl_keyfile"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                raise ValueError(f"{name} = {path}, but there is no such file")
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def load_settings(**values: Any) -> Settings:
    """Settings from ``values`` (those that are None are left out) and the environment.

    Raises
    ------
    ConfigError
        A value is outside its limits, or the environment names a setting that does not exist;
        the message names each.
    """
    unknown = sorted(
        name
        for name in map(str.upper, os.environ)
        if name.startswith(ENVIRONMENT_PREFIX)
        and name.removeprefix(ENVIRONMENT_PREFIX).lower() not in Settings.model_fields
    )
    if unknown:
        raise ConfigError(f"there is no setting {', '.join(unknown)}: look for a typing error")
    try:
        return Settings(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as why:
        raise ConfigError("; ".join(_say(error) for error in why.errors())) from None


def _say(error: Any) -> str:
    name = ".".join(map(str, error["loc"]))
    message = str(error["msg"]).removeprefix("Value error, ")
    if not name:
        return message
    return f"{name} = {error['input']!r}: {message[:1].lower()}{message[1:]}"
