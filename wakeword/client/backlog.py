"""Audio that may have to be sent again, in bounded memory."""

from __future__ import annotations

_FORGET_S = 1.0


class Backlog:
    """Bytes of one stream, from the oldest that may be asked for again to the newest.

    Positions count samples per channel in the numbering of the stream. When more than
    ``capacity_s`` is kept, the oldest second is forgotten: the newest sound is what matters.

    Parameters
    ----------
    frame_bytes
        Of one sample of all channels.
    capacity_s
        Seconds that are kept at most.
    first_sample
        Position of the first sample.
    """

    def __init__(
        self, frame_bytes: int, sample_rate: int, capacity_s: float, first_sample: int = 0
    ) -> None:
        self._frame_bytes = frame_bytes
        self._rate = sample_rate
        self._capacity = round(capacity_s * sample_rate)
        self._origin = first_sample
        self._data = bytearray()
        self.begin = self.sent = first_sample
        """Positions of the oldest sample, and of the next one to send."""

    @property
    def end(self) -> int:
        """Position behind the newest whole sample."""
        return self.begin + len(self._data) // self._frame_bytes

    @property
    def unsent(self) -> int:
        """Samples that were not sent over this connection."""
        return self.end - self.sent

    @property
    def rest_bytes(self) -> int:
        """Bytes of a sample that is not complete."""
        return len(self._data) % self._frame_bytes

    @property
    def has_hole(self) -> bool:
        """Whether the next sample to send was forgotten: only a new connection can go on."""
        return self.sent < self.begin

    def append(self, data: bytes, grid_samples: int) -> None:
        """Add audio; what is left of older audio begins on the grid of the service's steps."""
        self._data += data
        if self.end - self.begin > self._capacity:
            wanted = self.end - self._capacity + round(_FORGET_S * self._rate) - self._origin
            on_grid = -(-wanted // grid_samples) * grid_samples
            self.drop_before(min(self._origin + on_grid, self.end))

    def take(self, max_bytes: int, until: int) -> bytes:
        """The next whole samples to send, before position ``until``; empty where there are none."""
        assert not self.has_hole, "what would be sent next is gone"
        count = min(max_bytes // self._frame_bytes, self.end - self.sent, until - self.sent)
        if count <= 0:
            return b""
        start = (self.sent - self.begin) * self._frame_bytes
        self.sent += count
        return bytes(self._data[start : start + count * self._frame_bytes])

    def drop_before(self, sample: int) -> None:
        """Forget what lies before position ``sample``."""
        if sample > self.begin:
            del self._data[: (sample - self.begin) * self._frame_bytes]
            self.begin = sample

    def rewind(self) -> None:
        """Go back to the oldest sample: a new connection sends all from there."""
        self.sent = self.begin
