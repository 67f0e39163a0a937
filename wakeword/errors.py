"""Every error that this library raises on purpose, in one tree.

WakewordError
    AudioError              audio that cannot be read or makes no sense
        SampleRateError     a rate is missing, impossible or contradicts the header
        DeviceError         no microphone, no PortAudio, a busy device
            DeviceLostError  a device that worked has vanished
    ConfigError             a configuration value is outside its limits
        RecipeError         a training recipe cannot be used
    BundleError             a model bundle cannot be used
        UnknownModelError   no installed bundle or word has this name
    EngineLostError         the process that scored a stream has ended
    ManifestError           a manifest of recordings cannot be used
    EvaluationError         a measurement is impossible on the audio given
    TrainingError           training or export failed
    DownloadError           a file on the web cannot be had, or is not what it should be
    SynthesisError          a speech synthesiser is missing or failed
    ProtocolError           the other side of a stream broke the rules of the protocol
    ConnectionLostError     a service cannot be reached, or was lost for good
    RefusedError            a service said no
    MissingExtraError       an optional dependency is not installed

Each message says the value that was refused and the limit it broke, because it is
printed as it is: on the command line after ``error:`` (exit code 2), on the wire in
a problem response or a close reason.
"""

from __future__ import annotations


class WakewordError(Exception):
    """Base of all errors raised on purpose; anything else is a bug."""


class AudioError(WakewordError):
    """Audio cannot be read or makes no sense."""


class SampleRateError(AudioError):
    """A sample rate is missing, impossible, or contradicts what a header declares."""


class DeviceError(AudioError):
    """The audio device is missing, busy or gone."""


class DeviceLostError(DeviceError):
    """An audio device that was open has vanished; it may come back."""


class ConfigError(WakewordError):
    """A configuration value is outside its limits."""


class RecipeError(ConfigError):
    """A training recipe has an unknown key or an impossible value."""


class BundleError(WakewordError):
    """A model bundle is damaged, incomplete or newer than this library."""


class UnknownModelError(BundleError):
    """No installed bundle or word has the given name."""


class EngineLostError(WakewordError):
    """The process that scored a stream has ended, and what it remembered of it is gone."""


class ManifestError(WakewordError):
    """A manifest names a missing file, an unknown column or an empty class."""


class EvaluationError(WakewordError):
    """The measurement asked for is impossible on the audio given."""


class TrainingError(WakewordError):
    """Training or export failed; what was written before is untouched."""


class DownloadError(WakewordError):
    """A file on the web cannot be had, or is not what it should be."""


class SynthesisError(WakewordError):
    """A speech synthesiser is not installed, failed, or took too long."""


class ProtocolError(WakewordError):
    """The other side of a stream broke the rules of the streaming protocol.

    Parameters
    ----------
    message
        What is wrong, with the value and the limit, for people.
    code
        The same for programs: one of ``wakeword.protocol.ErrorCode``.
    close_code
        With which the websocket is closed: one of ``wakeword.protocol.CloseCode``.
    value, limit
        What was refused and what it broke, where that can be said in one value.
    """

    def __init__(
        self,
        message: str,
        code: str = "bad_message",
        close_code: int = 4400,
        value: float | str | None = None,
        limit: float | str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.close_code = close_code
        self.value = value
        self.limit = limit


class ConnectionLostError(WakewordError):
    """A service cannot be reached, or was lost for good."""


class RefusedError(WakewordError):
    """A service said no, and would say it again.

    Parameters
    ----------
    message
        What it said, for people.
    code
        The same for programs: one of ``wakeword.protocol.ErrorCode``; empty where it gave none.
    close_code
        Of its close frame; None where it refused before there was a websocket.
    value, limit
        What was refused and what it broke, where that can be said in one value.
    """

    def __init__(
        self,
        message: str,
        code: str = "",
        close_code: int | None = None,
        value: float | str | None = None,
        limit: float | str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.close_code = close_code
        self.value = value
        self.limit = limit


class MissingExtraError(WakewordError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package '{package}': pip install 'wakeword[{extra}]'"
        )
