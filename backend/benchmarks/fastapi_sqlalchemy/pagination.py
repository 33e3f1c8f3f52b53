"""Cursors: the last id of the page before, as JSON in base64."""

from __future__ import annotations

import base64
import json
import uuid

from fastapi import HTTPException


def encode(last: uuid.UUID) -> str:
    """Return the cursor of the page after this row."""
    return base64.urlsafe_b64encode(json.dumps([str(last)]).encode()).decode().rstrip("=")


def decode(cursor: str) -> uuid.UUID:
    """Read a cursor; one that was not made here is the client's mistake."""
    try:
        (last,) = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return uuid.UUID(last)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise HTTPException(400, "This is no cursor of this list") from error
