"""Sections of pages in docs/ that benchmarks write, with their pictures."""

from __future__ import annotations

from pathlib import Path

from wakeword.evaluation.documents import replace_section
from wakeword.files import atomic_write
from wakeword.runtime import Bundle


class Section:
    """A section of a page, between its markers.

    Made before anything is measured: that a page is damaged is said at once. What else changes in
    the page meanwhile stays.

    Raises
    ------
    EvaluationError
        The markers of the section are not one pair in order.
    OSError
        There is no such page.
    """

    def __init__(self, page: Path, name: str) -> None:
        self._page, self._name = page, name
        self._replaced("")

    @classmethod
    def of_version(cls, page: Path, what: str, bundle: Bundle) -> Section:
        """That of one version of a model: a log keeps what it said of the versions before."""
        return cls(page, f"{what} of {bundle.name} {bundle.metadata.version}")

    def write(self, text: str) -> None:
        """Put ``text`` in place of what the section holds."""
        document = self._replaced(text)
        with atomic_write(self._page) as out:
            out.write(document)

    def picture(self, name: str, png: bytes, alt: str) -> str:
        """Write ``figures/NAME`` beside the page; the link to it."""
        path = self._page.parent / "figures" / name
        path.parent.mkdir(exist_ok=True)
        with atomic_write(path, "wb") as out:
            out.write(png)
        return f"![{alt}](figures/{name})"

    def _replaced(self, text: str) -> str:
        return replace_section(self._page.read_text("utf-8"), self._name, text)
