"""``If-Match`` and ``If-None-Match`` (RFC 9110): nobody overwrites what they have not seen.

Changing a threshold that was chosen here needs ``If-Match`` with the ``ETag`` of the answer that
the change is based on (428 without it, 412 where somebody was quicker). Choosing the first one
needs nothing; ``If-None-Match: *`` makes sure that it is the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header

from wakeword_service.problems import Problem
from wakeword_service.tuning import Setting


@dataclass(frozen=True)
class Precondition:
    """What a request demands of the state that it changes."""

    if_match: str | None
    if_none_match: str | None

    def check(self, now: Setting) -> None:
        """Refuse a change of ``now`` that the precondition does not allow.

        Raises
        ------
        Problem
            412 or 428; ``limit`` is the entity tag that is in force.
        """
        chosen = now.source == "site"
        if self.if_none_match is not None and _names(self.if_none_match, now.etag, chosen):
            raise self._failed(now, self.if_none_match)
        if self.if_match is not None:
            if not _names(self.if_match, now.etag, chosen):
                raise self._failed(now, self.if_match)
        elif chosen:
            raise Problem(
                428,
                detail="this word has a threshold that was chosen here: say with If-Match which "
                "one you change (the ETag of GET)",
                headers={"ETag": now.etag},
                limit=now.etag,
            )

    def _failed(self, now: Setting, given: str) -> Problem:
        detail = f"the operating point is at {now.etag}: read it again before you change it"
        headers = {"ETag": now.etag}
        return Problem(412, detail=detail, headers=headers, value=given, limit=now.etag)


def _names(header: str, etag: str, chosen: bool) -> bool:
    """Whether a list of entity tags names this one; ``*`` is any that was chosen here."""
    if header.strip() == "*":
        return chosen
    return etag in [tag.strip() for tag in header.split(",")]


_MATCH = Header(max_length=1000, description="`ETag` of the operating point to be changed.")
_NONE_MATCH = Header(max_length=1000, description="`*`: only where none was chosen yet.")


def _precondition(
    if_match: Annotated[str | None, _MATCH] = None,
    if_none_match: Annotated[str | None, _NONE_MATCH] = None,
) -> Precondition:
    return Precondition(if_match, if_none_match)


Preconditions = Annotated[Precondition, Depends(_precondition)]
