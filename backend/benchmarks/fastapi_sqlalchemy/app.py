"""FastAPI with SQLAlchemy's asyncio, as in their documentation, with the same tables and responses.

Pydantic models in and out, a session for each request, selectinload, asyncpg. Like the usual way it leaves out what
the measured requests do not need (most validation, trash, recurrence), which is to its advantage.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.orm.exc import StaleDataError

from benchmarks.fastapi_sqlalchemy import overview, search, tasks
from benchmarks.fastapi_sqlalchemy.database import engine


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(lifespan=_lifespan)
for module in (tasks, search, overview):
    app.include_router(module.router)


@app.exception_handler(StaleDataError)
async def stale(request: Request, error: StaleDataError) -> JSONResponse:
    """Return 409, because another request has changed the row."""
    return JSONResponse({"detail": "It has changed meanwhile"}, status_code=409)


@app.get("/health/live")
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}
