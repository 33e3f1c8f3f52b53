"""The engine of a worker, and a session for each request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

# asyncpg finds the database in libpq's variables. Sixteen connections for each of four workers: more than the load
# asks for at once, so that none is opened while it is measured, and fewer than the server's hundred.
engine = create_async_engine("postgresql+asyncpg://", pool_size=16, max_overflow=0)
new_session = async_sessionmaker(engine, expire_on_commit=False)


async def session_of_request() -> AsyncIterator[AsyncSession]:
    """Open a session, and close it when the request is over; what is not committed is rolled back."""
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(session_of_request)]
