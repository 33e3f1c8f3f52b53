"""Who calls: a bearer token, looked up by its digest for every request."""

from __future__ import annotations

import hashlib
import uuid
from typing import Annotated

from fastapi import Depends, HTTPException, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from sqlalchemy import func, or_, select

from benchmarks.fastapi_sqlalchemy.database import Session
from benchmarks.fastapi_sqlalchemy.models import ApiToken, User

_bearer = HTTPBearer(auto_error=False)


async def current_user(
    wanted: SecurityScopes,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    session: Session,
) -> uuid.UUID:
    """Find the token by its digest; it must be neither revoked nor expired, and have the scopes."""
    token = None
    if given:
        digest = hashlib.sha256(given.credentials.encode()).hexdigest()
        is_alive = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > func.now())
        token = await session.scalar(
            select(ApiToken)
            .join(ApiToken.user)
            .where(ApiToken.digest == digest, ApiToken.revoked_at.is_(None), is_alive, User.is_active)
        )
    if token is None:
        raise HTTPException(401, "Invalid token", headers={"WWW-Authenticate": "Bearer"})
    if not set(wanted.scopes) <= set(token.scopes):
        raise HTTPException(403, "The token does not allow this")
    return token.user_id


Reader = Annotated[uuid.UUID, Security(current_user, scopes=["read"])]
Writer = Annotated[uuid.UUID, Security(current_user, scopes=["write"])]
