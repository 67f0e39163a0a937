"""The client's side of a session: reading what comes, and going on after a lost connection."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from fractions import Fraction

from wakeword.errors import ProtocolError
from wakeword.protocol.codes import ErrorCode, refusal
from wakeword.protocol.messages import (
    AckMessage,
    ClipMessage,
    DetectionMessage,
    ErrorMessage,
    ReadyMessage,
    ScoreMessage,
    ServerMessage,
)
from wakeword.protocol.start import StartMessage
from wakeword.protocol.wire import parse_server_message

CONTEXT_S = 5.0
"""Seconds before the last ack that a new connection must hear again: a window (1.5 s), a
refractory period, and time for the gain control of the front end to forget how it began.
Measured with the shipped words: scores behind a cut differ from those of the uncut stream by at
most 0.07 with 3 s, 0.002 with 5 s."""

MARGIN_S = 0.3
"""Detections so far before the last ack are asked for again: by such a difference a crossing may
move by a step, and must not move to where nobody asks for it."""

LONGEST_GRID_S = 10
_REMEMBERED_CLIPS = 1000


@dataclass(frozen=True, slots=True)
class ClipAudio:
    """Audio of a detection, s16le mono."""

    clip: ClipMessage
    data: bytes


class ClientSession:
    """Reads a server's messages, over one connection and those that replace it.

    A new connection hears some audio again and says some things again; those are left out here.
    For detections that is the detector's own rule: what comes within the refractory period of
    the last detection that an earlier connection told of the same word is the same utterance.

    Parameters
    ----------
    start
        What to ask for; with ``acks``, or :attr:`keep_from_sample` stays where it is.
    """

    def __init__(self, start: StartMessage) -> None:
        self.start = start
        self.ready: ReadyMessage | None = None
        self.acked_samples = start.first_sample
        self.grid_samples = _grid_samples(start.sample_rate, 100.0)
        self._clip: ClipMessage | None = None
        self._ends: dict[tuple[str, str], int] = {}
        self._ends_before: dict[tuple[str, str], int] = {}
        self._score_ends: dict[str, int] = {}
        self._without_clip: dict[tuple[str, str], str] = {}
        self._clip_owners: deque[tuple[str, str | None]] = deque(maxlen=_REMEMBERED_CLIPS)

    @property
    def keep_from_sample(self) -> int:
        """Audio from here on must be kept in case the connection is lost.

        It lies a whole number of steps after the first sample, so that a new connection scores
        at the same instants as the old one.
        """
        begin, grid = self.start.first_sample, self.grid_samples
        wanted = self.acked_samples - begin - round(CONTEXT_S * self.start.sample_rate)
        return begin + max(0, wanted // grid * grid)

    def reconnect(self, first_sample: int | None = None) -> StartMessage:
        """Begin anew over another connection; what came before stays known.

        Parameters
        ----------
        first_sample
            Where the audio that will be sent again begins, if not all of it was kept.

        Returns
        -------
        start
            To send first; then the audio from its ``first_sample``.
        """
        first = self.keep_from_sample if first_sample is None else first_sample
        self.acked_samples = max(self.acked_samples, first)
        known = self.acked_samples - round(MARGIN_S * self.start.sample_rate)
        known = max(known, self.start.detect_after_sample)
        self.ready = self._clip = None
        self._ends_before = dict(self._ends)
        return replace(self.start, first_sample=first, detect_after_sample=known)

    def receive_text(self, text: str) -> ServerMessage | None:
        """Take a text message.

        Returns
        -------
        message
            None for one to ignore: a detection or a score that an earlier connection has told,
            or a type of message that this version does not know.

        Raises
        ------
        ProtocolError
            It is not a message of this protocol, or not one that may come now.
        """
        message = parse_server_message(text)
        if self._clip is not None and not isinstance(message, ErrorMessage):
            raise _out_of_order("a text message came, but the audio of a clip must follow it")
        if self.ready is None and not isinstance(message, ReadyMessage | ErrorMessage | None):
            raise _out_of_order(f"{message.type} came, but the first message must be ready")
        if isinstance(message, ReadyMessage):
            self._take_ready(message)
        elif isinstance(message, AckMessage):
            self.acked_samples = max(self.acked_samples, message.samples)
        elif isinstance(message, ClipMessage):
            self._clip = message
        elif (isinstance(message, DetectionMessage) and self._is_repeated(message)) or (
            isinstance(message, ScoreMessage) and self._is_old(message)
        ):
            return None
        return message

    def receive_bytes(self, data: bytes) -> ClipAudio | None:
        """Take a binary message, the audio of the clip that was announced.

        Returns
        -------
        clip
            None where the detection is a repeated one, and its clip was told before.

        Raises
        ------
        ProtocolError
            None was announced, or it has another length.
        """
        clip, self._clip = self._clip, None
        if clip is None:
            raise _out_of_order("a binary message came, but no clip was announced")
        if len(data) != 2 * clip.samples:
            raise refusal(
                ErrorCode.BAD_AUDIO,
                f"a clip of {len(data)} bytes, but {clip.samples} samples were announced",
                len(data),
                2 * clip.samples,
            )
        owner = dict(self._clip_owners).get(clip.detection_id, clip.detection_id)
        self._without_clip = {k: v for k, v in self._without_clip.items() if v != owner}
        return None if owner is None else ClipAudio(replace(clip, detection_id=owner), data)

    def _take_ready(self, ready: ReadyMessage) -> None:
        if self.ready is not None:
            raise _out_of_order("a second ready came")
        self.ready = ready
        self.grid_samples = _grid_samples(self.start.sample_rate, ready.step_ms)

    def _is_repeated(self, detection: DetectionMessage) -> bool:
        word = detection.model, detection.keyword
        before = self._ends_before.get(word)
        if before is not None and detection.end_sample < before + self._refractory(word[0]):
            # Its clip may have been lost with the connection: then it is the first one's.
            self._clip_owners.append((detection.id, self._without_clip.get(word)))
            return True
        self._ends[word] = detection.end_sample
        if self.start.clips:
            self._without_clip[word] = detection.id
        return False

    def _refractory(self, model: str) -> int:
        assert self.ready is not None
        periods_s = [m.refractory_s for m in self.ready.models if m.name == model]
        return max(1, round(max(periods_s, default=0.0) * self.start.sample_rate))

    def _is_old(self, score: ScoreMessage) -> bool:
        if score.end_sample <= self._score_ends.get(score.model, -1):
            return True
        self._score_ends[score.model] = score.end_sample
        return False


def _grid_samples(sample_rate: int, step_ms: float) -> int:
    """Fewest samples that are a whole number of steps; 1 where that would be very many."""
    step = Fraction(step_ms).limit_denominator(1000) * sample_rate / 1000
    return step.numerator if 0 < step.numerator <= LONGEST_GRID_S * sample_rate else 1


def _out_of_order(message: str) -> ProtocolError:
    return refusal(ErrorCode.OUT_OF_ORDER, message)
