"""Compare the values with each other and with the environment that they are for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from todo_project.config import budget, paths, weakness
from todo_project.config.defaults import COMPOSE_FILES
from todo_project.config.environments import ENVIRONMENTS
from todo_project.config.origins import host_of
from todo_project.config.problems import shown
from todo_project.config.result import Examination
from todo_project.config.schema import BY_NAME, NEW_SECRET
from todo_project.config.variable import Derived

STOP_PERIOD_SECONDS: Final = 30  # after which Compose kills a container that was asked to stop
# In our example files, in Sentry's page on DSNs, in the mail URL of the docs.
_PLACEHOLDER: Final = re.compile(
    r"change-me|//examplePublicKey@|^smtp[^/]*//[^/]*:(?:password|secret)@", re.IGNORECASE
)

Check = Callable[[Examination], None]


def debug(seen: Examination) -> None:
    if seen.values["DEBUG"]:
        problem = f"is on in {seen.env}: its pages show source and settings"
        seen.complain("insecure", "DEBUG", problem, "write DEBUG=False")


def keys(seen: Examination) -> None:
    key = seen.values["SECRET_KEY"]
    if key and (reasons := weakness.of_key(key)):
        seen.complain("insecure", "SECRET_KEY", f"is not safe: {'; '.join(reasons)}", f"take one from {NEW_SECRET}")
    for number, former in enumerate(seen.values["SECRET_KEY_FALLBACKS"] or [], start=1):
        if reasons := weakness.of_key(former):
            problem = f"is not safe, key {number}: {'; '.join(reasons)}"
            seen.complain("insecure", "SECRET_KEY_FALLBACKS", problem, "leave this key out")


def repeated_key(seen: Examination) -> None:
    key, former = seen.values["SECRET_KEY"], seen.values["SECRET_KEY_FALLBACKS"] or []
    name = "SECRET_KEY_FALLBACKS"
    if key in former:
        seen.complain("contradiction", name, "contains SECRET_KEY itself", "list former keys only, or remove it")
    if len(set(former)) < len(former):
        seen.complain("contradiction", name, "contains the same key twice", "list each key once")


def passwords(seen: Examination) -> None:
    for name in ("POSTGRES_PASSWORD", "METRICS_TOKEN"):
        text = seen.given(name)
        if text and (reasons := weakness.of_password(text)):
            seen.complain("insecure", name, f"is not safe: {'; '.join(reasons)}", f"take one from {NEW_SECRET}")


def reused(seen: Examination) -> None:
    """Refuse one secret in two places: whoever learns one of them has both."""
    before: dict[str, str] = {}
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "METRICS_TOKEN"):
        if text := seen.given(name):
            if text in before:
                problem = f"is the same as {before[text]}"
                seen.complain("insecure", name, problem, f"take another one from {NEW_SECRET}")
            before.setdefault(text, name)


def allowed_hosts(seen: Examination) -> None:
    if any(item in {"*", "*."} or re.fullmatch(r"\.[^.]*\.?", item) for item in seen.items("ALLOWED_HOSTS")):
        seen.complain(
            "insecure",
            "ALLOWED_HOSTS",
            f"has `*` or a whole top-level domain in {seen.env}, so it accepts foreign Host headers",
            "name the hosts, or remove the line: it follows SITE_URL",
        )


def site_host(seen: Examination) -> None:
    site, hosts = seen.values["SITE_URL"], seen.given("ALLOWED_HOSTS")
    host = host_of(site)
    if site and hosts and not any(_matches(host, pattern.lower()) for pattern in hosts):
        seen.complain(
            "contradiction",
            "ALLOWED_HOSTS",
            f"does not have {host}, the host of SITE_URL, so every request would be refused",
            f"add {host}, or remove the line: it follows SITE_URL",
        )


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("."):
        return host == pattern[1:] or host.endswith(pattern)
    return pattern in {"*", host}


def plain_http(seen: Examination) -> None:
    for name in ("SITE_URL", "CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS", "CORS_ALLOWED_ORIGIN_REGEXES"):
        plain = [shown(item) for item in seen.items(name) if item.lower().removeprefix("^").startswith("http:")]
        if plain:
            problem = f"{'is' if name == 'SITE_URL' else 'has'} plain http in {seen.env}: {', '.join(plain)}"
            seen.complain("insecure", name, problem, "write https:// there")


def placeholders(seen: Examination) -> None:
    for name in seen.found:
        judged_elsewhere = BY_NAME[name].kind in {"secret_key", "secret_list", "password"}
        if not judged_elsewhere and _PLACEHOLDER.search(seen.texts[name]):
            seen.complain("placeholder", name, "is still the placeholder of an example", "write your own value")


def project_name(seen: Examination) -> None:
    """Refuse the project name, and with it the volumes, of another environment."""
    row, name = BY_NAME["COMPOSE_PROJECT_NAME"], seen.given("COMPOSE_PROJECT_NAME")
    default = row.default
    if not isinstance(default, Derived):
        return
    for env, environment in ENVIRONMENTS.items():
        if env != seen.env and name == default.compute({}, environment):
            problem = f"is {name}, the name of {env}: the two would share volumes"
            own = default.compute({}, seen.environment)
            seen.complain("contradiction", row.name, problem, f"write {own} or a name of its own")


def compose_files(seen: Examination) -> None:
    """Demand COMPOSE_FILE in an env file: without it a forgotten -f starts the development stack."""
    if seen.path and "COMPOSE_FILE" not in seen.found:
        problem = "is missing, so `docker compose --env-file` without -f would start the development stack"
        seen.complain("missing", "COMPOSE_FILE", problem, f"add this line: COMPOSE_FILE={COMPOSE_FILES}")


def env_file(seen: Examination) -> None:
    """Refuse an env file that has Compose give another file to the application."""
    path, name = Path(seen.path or ""), "ENV_FILE"
    if not seen.path or path.parent != paths.ENVS_DIR:
        return
    named = paths.ENVS_DIR.parent / seen.texts[name]
    instead = f"write ENV_FILE=envs/{path.name}"
    if name in seen.found and named.exists() and not named.samefile(path):
        seen.complain("contradiction", name, f"is {seen.texts[name]}, another file than {path}", instead)
    elif name not in seen.found and path.name.removesuffix(".example") != f"{seen.env}.env":
        problem = f"is missing, so Compose would give the application envs/{seen.env}.env"
        seen.complain("missing", name, problem, instead)


def proxy(seen: Examination) -> None:
    """Refuse a proxy that serves another name or port than people type."""
    site, address = seen.values["SITE_URL"], seen.given("SITE_ADDRESS")
    http, https = seen.values["HTTP_PORT"], seen.values["HTTPS_PORT"]
    if http is not None and http == https:
        seen.complain("contradiction", "HTTPS_PORT", f"is {https}, the same as HTTP_PORT", "write another port")
    if not site:
        return
    parts = urlsplit(site)
    name = re.sub(r"^https?://|:[0-9]*$", "", address or "").lower()
    if name and name != host_of(site):
        seen.complain(
            "contradiction",
            "SITE_ADDRESS",
            f"is {address}, but people type {site}",
            f"write {host_of(site)}, or :80 behind another proxy that does TLS",
        )
    elif (name or not address) and seen.path and parts.scheme == "https" and https != (parts.port or 443):
        seen.complain(
            "contradiction",
            "HTTPS_PORT",
            f"is {https}, but people type {site}, which means port {parts.port or 443}",
            f"write HTTPS_PORT={parts.port or 443}, or add the port to SITE_URL, unless something in front maps it",
            warning=True,
        )


def proxy_count(seen: Examination) -> None:
    """Compare the number of proxies with what SITE_ADDRESS says about them."""
    count, address = seen.given("TRUSTED_PROXY_COUNT"), seen.given("SITE_ADDRESS")
    if count is None or not address:
        return
    behind_another = address.startswith((":", "http://"))
    if behind_another and count < 2:
        problem = f"is {count}, but with SITE_ADDRESS={address} another proxy is in front of ours"
        instead = "write 2, or everybody has the address of that proxy and shares its limits"
    elif not behind_another and count != 1:
        problem = f"is {count}, but with SITE_ADDRESS={address} our proxy is the only one"
        instead = "write 1, or SITE_ADDRESS=:80 if another proxy is in front"
    else:
        return
    seen.complain("contradiction", "TRUSTED_PROXY_COUNT", problem, instead)


def hsts(seen: Examination) -> None:
    seconds, preload = seen.values["SECURE_HSTS_SECONDS"], seen.values["SECURE_HSTS_PRELOAD"]
    if seconds == 0:
        problem = f"is 0 in {seen.env}, so browsers may be led to plain http"
        default = BY_NAME["SECURE_HSTS_SECONDS"].default_in(seen.env)
        seen.complain("insecure", "SECURE_HSTS_SECONDS", problem, f"write {default}, or remove the line")
    if preload and not (seen.values["SECURE_HSTS_INCLUDE_SUBDOMAINS"] and (seconds or 0) >= 31_536_000):
        seen.complain(
            "contradiction",
            "SECURE_HSTS_PRELOAD",
            "is on, but browsers take a host only with all its subdomains and for at least a year",
            "write SECURE_HSTS_INCLUDE_SUBDOMAINS=True and SECURE_HSTS_SECONDS=31536000, or remove the line",
        )


def limits(seen: Examination) -> None:
    """Refuse more processes than the limits of their container allow."""
    values = seen.values
    workers, threads, jobs = (
        values[name] for name in ("GUNICORN_WORKERS", "GUNICORN_THREADS", "WORKER_CONCURRENCY")
    )
    if workers and threads:
        told = f"GUNICORN_WORKERS={workers} with GUNICORN_THREADS={threads}"
        _limit(seen, "BACKEND_PIDS", budget.backend_pids(workers, threads), told)
        _limit(seen, "BACKEND_MEMORY", budget.backend_memory(workers, threads), told)
    if jobs:
        _limit(seen, "WORKER_PIDS", budget.worker_pids(jobs), f"WORKER_CONCURRENCY={jobs}")
        _limit(seen, "WORKER_MEMORY", budget.worker_memory(jobs), f"WORKER_CONCURRENCY={jobs}")


def _limit(seen: Examination, name: str, needed: int, told: str) -> None:
    value = seen.values[name]
    if value is None:
        return
    memory = BY_NAME[name].kind == "memory"
    if needed > (budget.megabytes(value) if memory else value):
        unit = "m" if memory else ""
        problem = f"is {value}, but {told} can need {needed}{unit}"
        seen.complain("contradiction", name, problem, f"write {name}={needed}{unit}, or lower the other")


def stopping(seen: Examination) -> None:
    """Refuse a grace period that is cut off."""
    grace, timeout = seen.values["GUNICORN_GRACEFUL_TIMEOUT"], seen.values["GUNICORN_TIMEOUT"]
    drain = seen.values["GUNICORN_DRAIN_SECONDS"]
    if grace is None:
        return
    name, killed = "GUNICORN_GRACEFUL_TIMEOUT", f"the {STOP_PERIOD_SECONDS} s after which the container is killed"
    if grace >= STOP_PERIOD_SECONDS:
        seen.complain("contradiction", name, f"is {grace}, not less than {killed}", "write 25")
    elif drain and grace + drain >= STOP_PERIOD_SECONDS:
        problem = f"is {drain}, which with GUNICORN_GRACEFUL_TIMEOUT is not less than {killed}"
        instead = f"write {max(STOP_PERIOD_SECONDS - grace - 1, 0)}, or lower the other"
        seen.complain("contradiction", "GUNICORN_DRAIN_SECONDS", problem, instead)
    if timeout is not None and grace >= timeout:
        problem = f"is {grace}, not less than GUNICORN_TIMEOUT, which is {timeout}"
        seen.complain("contradiction", name, problem, f"write less than {timeout}, or raise GUNICORN_TIMEOUT")


def mail(seen: Examination) -> None:
    """Refuse to send a mail password unencrypted to another machine."""
    settings = seen.given("EMAIL_URL")
    if (
        not settings
        or not settings["EMAIL_HOST_PASSWORD"]
        or not seen.texts["EMAIL_URL"].lower().startswith("smtp:")
    ):
        return
    # A name without a dot is a neighbour in the same network of containers.
    if re.search(r"[.:]", settings["EMAIL_HOST"]) and not settings["EMAIL_HOST"].startswith("127."):
        problem = "sends its password unencrypted"
        seen.complain("insecure", "EMAIL_URL", problem, "write smtp+tls:// or smtp+ssl://")


def backups(seen: Examination) -> None:
    if seen.values["BACKUP_AGE_RECIPIENT"] and seen.values["BACKUP_GPG_RECIPIENT"]:
        problem = "is set beside BACKUP_AGE_RECIPIENT, but only one of them can be used"
        seen.complain("contradiction", "BACKUP_GPG_RECIPIENT", problem, "keep one of the two")
    names = ("BACKUP_S3_ACCESS_KEY_ID", "BACKUP_S3_SECRET_ACCESS_KEY")
    for name, other in (names, names[::-1]):
        if seen.values[name] and other not in seen.found:
            problem = f"is set without {other}"
            seen.complain("contradiction", name, problem, "set both, or none to use the role of the machine")


def file_mode(seen: Examination) -> None:
    """Warn about a file of real secrets that other people on this machine can read."""
    secrets = [name for name, found in seen.found.items() if BY_NAME[name].secret and found.where == seen.path]
    path = Path(seen.path or "")
    if not seen.path or not secrets or path.name.endswith(".example") or not path.exists():
        return
    mode = path.stat().st_mode & 0o777
    if mode & 0o137:
        problem = f"has secrets in it and mode {mode:03o}, so others can read or change it"
        seen.warn_about_file("mode", problem, f"chmod 600 {path}")


EVERYWHERE: tuple[Check, ...] = (repeated_key, site_host, stopping, proxy, proxy_count, backups)
DEPLOYED_ONLY: tuple[Check, ...] = (
    debug, keys, passwords, reused, allowed_hosts, plain_http, placeholders, project_name, compose_files, env_file,
    hsts, limits, mail, file_mode,
)  # fmt: skip
