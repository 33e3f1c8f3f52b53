"""This will hold the values against each other and against the environment they are for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from todo_project.config import weakness
from todo_project.config.defaults import DB_HOST, DB_NAME, DB_USER, host_of
from todo_project.config.schema import BY_NAME
from todo_project.config.values import shown
from todo_project.config.variable import ENVIRONMENTS

if TYPE_CHECKING:
    from todo_project.config.examination import Examination

STOP_PERIOD_SECONDS = 30  # after which Compose kills a container that was asked to stop
# Connections beside those of requests and jobs: the worker's LISTEN and the migration lock.
SPARE_CONNECTIONS = 2
NEW_SECRET = 'python -c "import secrets; print(secrets.token_urlsafe(50))"'  # noqa: S105 (a command)

# Of our example files, of Sentry's page on DSNs, and of the mail URL in the docs.
_PLACEHOLDER = re.compile(r"change-me|//examplePublicKey@|^smtp[^/]*//[^/]*:(?:password|secret)@", re.IGNORECASE)

Check = Callable[["Examination"], None]


def run(seen: Examination) -> None:
    """This will run every check whose values could be read."""
    for check in EVERYWHERE:
        check(seen)
    if seen.deployed:
        for check in DEPLOYED_ONLY:
            check(seen)


def _given(seen: Examination, name: str) -> Any:
    """Return a value that was set, not defaulted; of one with a fault, what could be read of it."""
    return seen.values[name] or seen.meant.get(name) if name in seen.found else None


def debug(seen: Examination) -> None:
    """This will refuse debug pages where strangers can see them."""
    if seen.values["DEBUG"]:
        seen.complain(
            "insecure", "DEBUG", f"is on in {seen.env}: its pages show source and settings", "write DEBUG=False"
        )


def secret_key(seen: Examination) -> None:
    """This will refuse a key that can be guessed."""
    key = seen.values["SECRET_KEY"]
    if key and (reasons := weakness.of_key(key)):
        seen.complain("insecure", "SECRET_KEY", f"is not safe: {'; '.join(reasons)}", f"take one from {NEW_SECRET}")


def fallbacks(seen: Examination) -> None:
    """This will refuse former keys that can be guessed: they still open every session."""
    for number, key in enumerate(seen.values["SECRET_KEY_FALLBACKS"] or [], start=1):
        reasons = weakness.of_key(key)
        if reasons:
            problem = f"is not safe, key {number}: {'; '.join(reasons)}"
            seen.complain("insecure", "SECRET_KEY_FALLBACKS", problem, "leave this key out")


def repeated_key(seen: Examination) -> None:
    """This will refuse a current key among the former ones, which nothing could then retire."""
    key, former = seen.values["SECRET_KEY"], seen.values["SECRET_KEY_FALLBACKS"] or []
    if key in former:
        seen.complain(
            "contradiction",
            "SECRET_KEY_FALLBACKS",
            "holds SECRET_KEY itself",
            "list former keys only, or remove it",
        )
    if len(set(former)) < len(former):
        seen.complain("contradiction", "SECRET_KEY_FALLBACKS", "holds the same key twice", "list each key once")


def passwords(seen: Examination) -> None:
    """This will refuse passwords and tokens that can be guessed."""
    for name in ("POSTGRES_PASSWORD", "METRICS_TOKEN"):
        text = _given(seen, name)
        if text and (reasons := weakness.of_password(text)):
            seen.complain("insecure", name, f"is not safe: {'; '.join(reasons)}", f"take one from {NEW_SECRET}")


def reused(seen: Examination) -> None:
    """This will refuse one secret in two places: who learns one then has both."""
    names = ("SECRET_KEY", "POSTGRES_PASSWORD", "METRICS_TOKEN")
    given = [(name, _given(seen, name)) for name in names if _given(seen, name)]
    for index, (name, text) in enumerate(given):
        for before, other in given[:index]:
            if text == other:
                seen.complain("insecure", name, f"is the same as {before}", f"take another from {NEW_SECRET}")


def _items(seen: Examination, name: str) -> list[str]:
    """Return the items of a list that was set, as written where one of them could not be read."""
    if name not in seen.found:
        return []
    return [item.strip() for item in seen.texts[name].split(",")]


def allowed_hosts(seen: Examination) -> None:
    """This will refuse to answer to every name."""
    if any(item in {"*", "*."} or re.fullmatch(r"\.[^.]*\.?", item) for item in _items(seen, "ALLOWED_HOSTS")):
        seen.complain(
            "insecure",
            "ALLOWED_HOSTS",
            f"holds `*` or a dot and one label in {seen.env}, which accepts foreign Host headers",
            "name the hosts, or remove the line: it follows SITE_URL",
        )


def project_name(seen: Examination) -> None:
    """This will refuse the name under which another environment has its containers, volumes and data."""
    row, name = BY_NAME["COMPOSE_PROJECT_NAME"], _given(seen, "COMPOSE_PROJECT_NAME")
    others = [env for env in ENVIRONMENTS if env != seen.env and name and row.default_in(env) == name]
    if others:
        problem = f"is {name}, which {others[0]} is named by: the two would share volumes"
        seen.complain("contradiction", row.name, problem, f"write {row.default_in(seen.env)} or a name of its own")


def site_host(seen: Examination) -> None:
    """This will refuse a site that would not answer to its own name."""
    site, hosts = seen.values["SITE_URL"], _given(seen, "ALLOWED_HOSTS")
    if not site or not hosts:
        return
    host = host_of(site)
    if not any(_matches(host, pattern.lower()) for pattern in hosts):
        seen.complain(
            "contradiction",
            "ALLOWED_HOSTS",
            f"does not hold {host}, the host of SITE_URL, so every request would be refused",
            f"add {host}, or remove the line: it follows SITE_URL",
        )


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("."):
        return host == pattern[1:] or host.endswith(pattern)
    return pattern in {"*", host}


def plain_http(seen: Examination) -> None:
    """This will refuse origins that anybody on the way can read and change."""
    for name in ("SITE_URL", "CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS"):
        plain = [shown(item) for item in _items(seen, name) if item.lower().startswith("http://")]
        if plain:
            verb = "is" if name == "SITE_URL" else "holds"
            problem = f"{verb} plain http in {seen.env}: {', '.join(plain)}"
            seen.complain("insecure", name, problem, "write https:// there")


def placeholders(seen: Examination) -> None:
    """This will refuse values of the example files that were meant to be replaced."""
    for name, text in seen.texts.items():
        variable = BY_NAME[name]
        if name not in seen.found or variable.kind in {"secret_key", "secret_list", "password"}:
            continue
        if _PLACEHOLDER.search(text):
            seen.complain("placeholder", name, "is still an example's placeholder", "write your own value")


def database(seen: Examination) -> None:
    """This will refuse SQLite, and a database whose password can be guessed."""
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL", "DATABASE_REPLICA_URL"):
        if seen.texts.get(name, "").lower().startswith("sqlite"):
            problem = f"is SQLite in {seen.env}, which several processes and containers cannot share"
            seen.complain("insecure", name, problem, "write postgres://user:password@host:5432/name")
        elif database := _given(seen, name):
            _database_password(seen, name, database)


def _database_password(seen: Examination, name: str, database: dict[str, Any]) -> None:
    password = database["PASSWORD"]
    other_ways = {"passfile", "sslcert", "service", "require_auth"}
    if password and (reasons := weakness.of_password(password)):
        problem = f"has a password that is not safe: {'; '.join(reasons)}"
        seen.complain("insecure", name, problem, f"take one from {NEW_SECRET}")
    elif not password and database["HOST"] and not other_ways & database["OPTIONS"].keys():
        seen.complain("insecure", name, "has no password", "write postgres://user:password@host:5432/name")


def database_service(seen: Examination) -> None:
    """This will refuse a URL that the `db` service of the Compose files would turn away."""
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL"):
        database = _given(seen, name)
        if database and database.get("HOST") == DB_HOST:
            _database_service(seen, name, database)


def _database_service(seen: Examination, name: str, database: dict[str, Any]) -> None:
    password = seen.values["POSTGRES_PASSWORD"]
    way_out = "remove DATABASE_URL: it is derived from POSTGRES_PASSWORD"
    if password and database["PASSWORD"] != password:
        seen.complain(
            "contradiction",
            name,
            "names the `db` service with another password than POSTGRES_PASSWORD",
            way_out if name == "DATABASE_URL" else "write the same password, percent-encoded",
        )
    elif not password and "POSTGRES_PASSWORD" not in seen.found:
        seen.complain(
            "missing",
            "POSTGRES_PASSWORD",
            f"is missing, though {name} names the `db` service of the Compose files, which needs it",
            "set POSTGRES_PASSWORD, with which that service is created",
            warning=True,
        )
    if database["NAME"] and (database["USER"], database["NAME"]) != (DB_USER, DB_NAME):
        seen.complain(
            "contradiction",
            name,
            "names the `db` service with another user or database than it has",
            f"write postgres://{DB_USER}:password@{DB_HOST}:5432/{DB_NAME}, or remove it",
        )


def pool(seen: Examination) -> None:
    """This will refuse persistent connections beside a pool, which Django refuses at the first request."""
    database, age = _given(seen, "DATABASE_URL") or {}, _given(seen, "DATABASE_CONN_MAX_AGE")
    if age and database.get("OPTIONS", {}).get("pool"):
        seen.complain(
            "contradiction",
            "DATABASE_CONN_MAX_AGE",
            f"is {age} while DATABASE_URL asks for a pool",
            "write 0 or remove the line",
        )


def pooler(seen: Examination) -> None:
    """This will refuse what does not survive a pooler, which gives each transaction another connection."""
    pooled, direct = seen.values["DATABASE_URL"] or {}, seen.values["DATABASE_DIRECT_URL"]
    if not _is_pooled(pooled):
        if direct:
            problem = "is given, but DATABASE_URL does not say that it leads to a pooler"
            end = "add ?disable_server_side_cursors=true to DATABASE_URL, or remove this line"
            seen.complain("contradiction", "DATABASE_DIRECT_URL", problem, end)
        return
    if (pooled.get("OPTIONS") or {}).get("pool"):
        problem = "asks for a pool in each process in front of a pooler, whose connections that would hold"
        seen.complain("contradiction", "DATABASE_URL", problem, "leave out pool=true")
    _direct(seen, direct)


def _direct(seen: Examination, direct: dict[str, Any] | None) -> None:
    name = "DATABASE_DIRECT_URL"
    shape = "write postgres://user:password@host:5432/name, the database's own address"
    if name not in seen.texts:
        problem = "is missing: the worker cannot listen, nor a migration hold its settings, through a pooler"
        seen.complain("missing", name, problem, shape)
    elif direct and (_is_pooled(direct) or direct["ENGINE"].endswith("sqlite3")):
        seen.complain("contradiction", name, "is no way past the pooler that DATABASE_URL names", shape)


def replica(seen: Examination) -> None:
    """This will refuse a replica that is none."""
    primary, other = seen.values["DATABASE_URL"], seen.values["DATABASE_REPLICA_URL"]
    if not primary or not other:
        return
    place = ("ENGINE", "HOST", "PORT", "NAME")
    if any(each["ENGINE"].endswith("sqlite3") for each in (primary, other)):
        problem = "is given, but only PostgreSQL has replicas"
    elif [primary[name] for name in place] == [other[name] for name in place]:
        problem = "is the database of DATABASE_URL itself"
    else:
        return
    seen.complain("contradiction", "DATABASE_REPLICA_URL", problem, "name a streaming replica, or remove it")


def _is_pooled(database: dict[str, Any]) -> bool:
    return bool(database.get("DISABLE_SERVER_SIDE_CURSORS"))


def connections(seen: Examination) -> None:
    """This will refuse more processes than the database has connections, when we are told how many."""
    parts = ("BACKEND_REPLICAS", "GUNICORN_WORKERS", "GUNICORN_THREADS", "WORKER_CONCURRENCY")
    limit, counts = seen.values["DATABASE_MAX_CONNECTIONS"], [seen.values[name] for name in parts]
    if limit is None or None in counts:
        return
    replicas, workers, threads, jobs = counts
    if _is_pooled(seen.values["DATABASE_URL"] or {}):
        return  # the pooler's own configuration says how many it opens
    needed = replicas * workers * threads + jobs + SPARE_CONNECTIONS
    if needed > limit:
        seen.complain(
            "contradiction",
            "DATABASE_MAX_CONNECTIONS",
            f"is {limit}, but up to {needed} are needed: BACKEND_REPLICAS {replicas} x GUNICORN_WORKERS {workers} "
            f"x GUNICORN_THREADS {threads} + WORKER_CONCURRENCY {jobs} + {SPARE_CONNECTIONS} to listen and migrate",
            "lower one of them, or raise the database's max_connections and this number with it",
        )


def stopping(seen: Examination) -> None:
    """This will refuse a grace that is cut off."""
    grace, timeout = seen.values["GUNICORN_GRACEFUL_TIMEOUT"], seen.values["GUNICORN_TIMEOUT"]
    if grace is None:
        return
    if grace >= STOP_PERIOD_SECONDS:
        seen.complain(
            "contradiction",
            "GUNICORN_GRACEFUL_TIMEOUT",
            f"is {grace}, not below the {STOP_PERIOD_SECONDS} s after which Compose kills the container",
            "write 25",
        )
    elif (drain := seen.values["GUNICORN_DRAIN_SECONDS"]) and grace + drain >= STOP_PERIOD_SECONDS:
        seen.complain(
            "contradiction",
            "GUNICORN_DRAIN_SECONDS",
            f"is {drain}, with GUNICORN_GRACEFUL_TIMEOUT not below the {STOP_PERIOD_SECONDS} s "
            "after which the container is killed",
            f"write {max(STOP_PERIOD_SECONDS - grace - 1, 0)}, or lower the other",
        )
    if timeout is not None and grace >= timeout:
        seen.complain(
            "contradiction",
            "GUNICORN_GRACEFUL_TIMEOUT",
            f"is {grace}, not below GUNICORN_TIMEOUT, which is {timeout}",
            f"write a number below {timeout}, or raise GUNICORN_TIMEOUT",
        )


def mail(seen: Examination) -> None:
    """This will refuse to send a mail password unencrypted to another machine."""
    url = seen.texts.get("EMAIL_URL", "")
    settings = _given(seen, "EMAIL_URL")
    if not settings or not settings["EMAIL_HOST_PASSWORD"] or not url.lower().startswith("smtp://"):
        return
    # A name without a dot is a neighbour in the same network of containers.
    if "." in settings["EMAIL_HOST"] and not settings["EMAIL_HOST"].startswith("127."):
        problem = "sends its password unencrypted"
        seen.complain("insecure", "EMAIL_URL", problem, "write smtp+tls:// or smtp+ssl://")


def proxy(seen: Examination) -> None:
    """This will refuse a proxy that serves another name or port than people type."""
    site, address = seen.values["SITE_URL"], _given(seen, "SITE_ADDRESS")
    http, https = seen.values["HTTP_PORT"], seen.values["HTTPS_PORT"]
    if http is not None and http == https:
        seen.complain("contradiction", "HTTPS_PORT", f"is {https}, the same as HTTP_PORT", "write another port")
    if not site or not address:
        return
    name = re.sub(r"^https?://|:[0-9]*$", "", address).lower()
    parts = urlsplit(site)
    if name and name != host_of(site):
        seen.complain(
            "contradiction",
            "SITE_ADDRESS",
            f"is {address}, but people type {site}",
            f"write {host_of(site)}, or :80 behind somebody else's TLS",
        )
    elif name and parts.scheme == "https" and https is not None and (parts.port or 443) != https:
        seen.complain(
            "contradiction",
            "HTTPS_PORT",
            f"is {https}, but people type {site}, which means port {parts.port or 443}",
            f"write {parts.port or 443}, or add the port to SITE_URL, unless something in front maps the ports",
            warning=True,
        )


def hsts(seen: Examination) -> None:
    """This will refuse a service that browsers may still be led to by plain http."""
    if seen.values["SECURE_HSTS_SECONDS"] == 0:
        problem = f"is 0 in {seen.env}, so that browsers may be led to plain http"
        default = BY_NAME["SECURE_HSTS_SECONDS"].default_in(seen.env)
        seen.complain("insecure", "SECURE_HSTS_SECONDS", problem, f"write {default}, or remove the line")


def backups(seen: Examination) -> None:
    """This will refuse two ways to encrypt, of which only one could be used, and a key of a bucket cut in half."""
    if seen.values["BACKUP_AGE_RECIPIENT"] and seen.values["BACKUP_GPG_RECIPIENT"]:
        problem = "is given beside BACKUP_AGE_RECIPIENT"
        seen.complain("contradiction", "BACKUP_GPG_RECIPIENT", problem, "keep one of the two")
    for name, other in (("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"), ("SECRET_ACCESS_KEY", "ACCESS_KEY_ID")):
        if seen.values[f"BACKUP_S3_{name}"] and f"BACKUP_S3_{other}" not in seen.found:
            problem = f"is given without BACKUP_S3_{other}"
            seen.complain("contradiction", f"BACKUP_S3_{name}", problem, "give both, or none for a role's own keys")


def file_mode(seen: Examination) -> None:
    """This will warn of a file with real secrets that other people on this machine can read."""
    secrets = [name for name, found in seen.found.items() if BY_NAME[name].secret and found.where == seen.path]
    if not seen.path or not secrets:
        return
    path = Path(seen.path)
    if path.name.endswith(".example") or not path.exists():
        return
    mode = path.stat().st_mode & 0o777
    if mode & 0o137:
        seen.complain_of_file(
            "mode",
            f"holds secrets and has mode {mode:03o}, so that others can read or change it",
            f"chmod 600 {path}",
        )


EVERYWHERE: tuple[Check, ...] = (
    repeated_key,
    site_host,
    database_service,
    pool,
    pooler,
    replica,
    connections,
    stopping,
    proxy,
    backups,
)
DEPLOYED_ONLY: tuple[Check, ...] = (
    debug,
    project_name,
    secret_key,
    fallbacks,
    passwords,
    reused,
    allowed_hosts,
    plain_http,
    placeholders,
    database,
    mail,
    hsts,
    file_mode,
)
