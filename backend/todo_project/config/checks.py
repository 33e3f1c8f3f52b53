"""Compare the values with each other and with the environment that they are for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from todo_project.config import defaults, paths, weakness
from todo_project.config.environments import ENVIRONMENTS
from todo_project.config.findings import Examination, shown
from todo_project.config.origins import host_of
from todo_project.config.schema import BY_NAME, NEW_SECRET

Checks = tuple[Callable[[Examination], None], ...]

STOP_PERIOD: Final = 30  # seconds after which Compose kills a container that was asked to stop
# In our example files, in Sentry's page on DSNs, in the mail URL of the docs.
_PLACEHOLDER: Final = re.compile(r"change-me|//examplePublicKey@|^smtp[^/]*//[^/]*:(?:password|secret)@", re.I)


def debug(seen: Examination) -> None:
    if seen.values["DEBUG"]:
        problem = f"is on in {seen.env}: its pages show source and settings"
        seen.complain("insecure", "DEBUG", problem, "write DEBUG=False")


def secrets(seen: Examination) -> None:
    """Refuse secrets that can be guessed, and one secret in two places: whoever learns one has both."""
    before: dict[str, str] = {}
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "METRICS_TOKEN"):
        text = seen.given(name)
        if not text:
            continue
        if reasons := weakness.of_key(text) if name == "SECRET_KEY" else weakness.of_password(text):
            seen.complain("insecure", name, f"is not safe: {'; '.join(reasons)}", f"take one from {NEW_SECRET}")
        if text in before:
            seen.complain("insecure", name, f"is the same as {before[text]}", f"take another one from {NEW_SECRET}")
        before.setdefault(text, name)
    for number, former in enumerate(seen.values["SECRET_KEY_FALLBACKS"] or [], start=1):
        if reasons := weakness.of_key(former):
            problem = f"is not safe, key {number}: {'; '.join(reasons)}"
            seen.complain("insecure", "SECRET_KEY_FALLBACKS", problem, "leave this key out")


def former_keys(seen: Examination) -> None:
    key, former = seen.values["SECRET_KEY"], seen.values["SECRET_KEY_FALLBACKS"] or []
    if len({key, *former}) <= len(former):
        problem = "has SECRET_KEY itself in it" if key in former else "has the same key in it twice"
        seen.complain("contradiction", "SECRET_KEY_FALLBACKS", problem, "list each former key once, or remove it")


def hosts(seen: Examination) -> None:
    if any(item in {"*", "*."} or re.fullmatch(r"\.[^.]*\.?", item) for item in seen.items("ALLOWED_HOSTS")):
        problem = f"has `*` or a whole top-level domain in {seen.env}, so it accepts foreign Host headers"
        instead = "name the hosts, or remove the line: it follows SITE_URL"
        seen.complain("insecure", "ALLOWED_HOSTS", problem, instead)
    for name in ("SITE_URL", "CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS", "CORS_ALLOWED_ORIGIN_REGEXES"):
        plain = [shown(item) for item in seen.items(name) if re.match(r"\^?http:", item, re.IGNORECASE)]
        if plain:
            problem = f"{'is' if name == 'SITE_URL' else 'has'} plain http in {seen.env}: {', '.join(plain)}"
            seen.complain("insecure", name, problem, "write https:// there")


def site_host(seen: Examination) -> None:
    host, patterns = host_of(seen.values["SITE_URL"]), [each.lower() for each in seen.given("ALLOWED_HOSTS") or []]
    # .example.org stands for example.org as well
    fits = [each for each in patterns if each in {"*", host} or (each[0] == "." and f".{host}".endswith(each))]
    if host and patterns and not fits:
        problem = f"does not have {host}, the host of SITE_URL, so every request would be refused"
        instead = f"add {host}, or remove the line: it follows SITE_URL"
        seen.complain("contradiction", "ALLOWED_HOSTS", problem, instead)


def placeholders(seen: Examination) -> None:
    for name in seen.found:
        judged_elsewhere = BY_NAME[name].kind in {"secret_key", "secret_keys", "password"}
        if not judged_elsewhere and _PLACEHOLDER.search(seen.texts[name]):
            seen.complain("placeholder", name, "is still the placeholder of an example", "write your own value")


def stack(seen: Examination) -> None:
    """Refuse a project whose volumes are another environment's, and an env file that starts other files."""
    name, project = "COMPOSE_PROJECT_NAME", seen.given("COMPOSE_PROJECT_NAME")
    for other in ENVIRONMENTS:
        if other != seen.env and project == defaults.project_name({"DJANGO_ENV": other}):
            problem = f"is {project}, the name of {other}: the two would share volumes"
            seen.complain("contradiction", name, problem, "write another name, or remove the line")
    if seen.path and "COMPOSE_FILE" not in seen.found:
        problem = "is missing, so `docker compose --env-file` without -f would start the development stack"
        seen.complain("missing", "COMPOSE_FILE", problem, f"add this line: COMPOSE_FILE={defaults.COMPOSE_FILES}")


def env_file(seen: Examination) -> None:
    """Refuse an env file that has Compose give the application another one."""
    path, text = Path(seen.path or ""), seen.texts["ENV_FILE"]
    named = paths.ENVS_DIR.parent / text
    if path.parent != paths.ENVS_DIR:
        return
    if "ENV_FILE" in seen.found:
        if named.exists() and not named.samefile(path):
            problem = f"is {text}, another file than {path}"
            seen.complain("contradiction", "ENV_FILE", problem, f"write ENV_FILE=envs/{path.name}")
    elif path.name.removesuffix(".example") != named.name:
        problem = f"is missing, so Compose would give the application {text}"
        seen.complain("missing", "ENV_FILE", problem, f"add this line: ENV_FILE=envs/{path.name}")


def proxy(seen: Examination) -> None:
    """Refuse a proxy that serves another name or port than people type."""
    site, address = seen.values["SITE_URL"], seen.given("SITE_ADDRESS")
    http, https = seen.values["HTTP_PORT"], seen.values["HTTPS_PORT"]
    if http is not None and http == https:
        seen.complain("contradiction", "HTTPS_PORT", f"is {https}, the same as HTTP_PORT", "write another port")
    parts = urlsplit(site or "")
    name, port = re.sub(r"^https?://|:[0-9]*$", "", address or "").lower(), parts.port or 443
    if site and name and name != host_of(site):
        instead = f"write {host_of(site)}, or :80 behind another proxy that does TLS"
        seen.complain("contradiction", "SITE_ADDRESS", f"is {address}, but people type {site}", instead)
    elif (name or not address) and seen.path and parts.scheme == "https" and https != port:
        problem = f"is {https}, but people type {site}, which means port {port}"
        instead = f"write HTTPS_PORT={port}, or add the port to SITE_URL, unless something in front maps it"
        seen.complain("contradiction", "HTTPS_PORT", problem, instead, warning=True)


def proxy_count(seen: Examination) -> None:
    count, address = seen.given("TRUSTED_PROXY_COUNT"), seen.given("SITE_ADDRESS")
    behind_another = defaults.behind_another_proxy(address)
    if count is None or not address or (count >= 2 if behind_another else count == 1):
        return
    what, instead = "our proxy is the only one", "write 1, or SITE_ADDRESS=:80 if another proxy is in front"
    if behind_another:
        what = "another proxy is in front of ours"
        instead = "write 2, or all visitors have the address of that proxy and share its limits"
    problem = f"is {count}, but with SITE_ADDRESS={address} {what}"
    seen.complain("contradiction", "TRUSTED_PROXY_COUNT", problem, instead)


def hsts(seen: Examination) -> None:
    seconds, year = seen.values["SECURE_HSTS_SECONDS"], 31_536_000
    if seconds == 0:
        problem = f"is 0 in {seen.env}, so browsers may be led to plain http"
        seen.complain("insecure", "SECURE_HSTS_SECONDS", problem, f"write {year}, or remove the line")
    subdomains = seen.values["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    if seen.values["SECURE_HSTS_PRELOAD"] and not (subdomains and (seconds or 0) >= year):
        problem = "is on, but browsers take a host only with all its subdomains and for at least a year"
        instead = f"write SECURE_HSTS_INCLUDE_SUBDOMAINS=True and SECURE_HSTS_SECONDS={year}, or remove the line"
        seen.complain("contradiction", "SECURE_HSTS_PRELOAD", problem, instead)


def limits(seen: Examination) -> None:
    """Refuse more processes than their container has room for.

    A process takes 60 MB and a thread that hashes a password 20, beside 100 for what they share; a process
    has 4 threads of its own (Sentry's, a pool's), beside 20 processes for health checks and commands.
    """
    names = ("GUNICORN_WORKERS", "GUNICORN_THREADS", "WORKER_CONCURRENCY")
    workers, threads, jobs = (seen.values[name] or 1 for name in names)
    backend, worker = f"{names[0]}={workers} with {names[1]}={threads}", f"{names[2]}={jobs}"
    for name, needed, what in (
        ("BACKEND_PIDS", workers * (threads + 4) + 20, backend),
        ("BACKEND_MEMORY", 100 + workers * (60 + threads * 20), backend),
        ("WORKER_PIDS", jobs + 4 + 20, worker),
        ("WORKER_MEMORY", 100 + jobs * 60, worker),
    ):
        value = seen.values[name]
        unit = "m" if BY_NAME[name].kind == "memory" else ""
        room = int(value[:-1]) * (1024 if value[-1] == "g" else 1) if value and unit else value
        if room is not None and needed > room:
            problem = f"is {value}, but {what} can need {needed}{unit}"
            seen.complain("contradiction", name, problem, f"write {name}={needed}{unit}, or lower the other")


def stopping(seen: Examination) -> None:
    """Refuse a grace period that is cut off."""
    name, grace = "GUNICORN_GRACEFUL_TIMEOUT", seen.given("GUNICORN_GRACEFUL_TIMEOUT") or 25
    timeout, drain = seen.values["GUNICORN_TIMEOUT"] or 3600, seen.values["GUNICORN_DRAIN_SECONDS"] or 0
    killed = f"not less than the {STOP_PERIOD} s after which the container is killed"
    if grace >= STOP_PERIOD:
        seen.complain("contradiction", name, f"is {grace}, {killed}", "write 25")
    elif drain and grace + drain >= STOP_PERIOD:
        instead = f"write {STOP_PERIOD - grace - 1}, or lower {name}"
        problem = f"is {drain}, which with {name} is {killed}"
        seen.complain("contradiction", "GUNICORN_DRAIN_SECONDS", problem, instead)
    if grace >= timeout:
        problem = f"is {grace}, not less than GUNICORN_TIMEOUT, which is {timeout}"
        seen.complain("contradiction", name, problem, f"write less than {timeout}, or raise GUNICORN_TIMEOUT")


def mail(seen: Examination) -> None:
    """Refuse to send a mail password unencrypted to another machine."""
    settings = seen.given("EMAIL_URL") or {}
    host = settings.get("EMAIL_HOST", "")
    # A name without a dot is a neighbour in the same network of containers.
    near = not re.search(r"[.:]", host) or host.startswith("127.")
    encrypted = settings.get("EMAIL_USE_TLS") or settings.get("EMAIL_USE_SSL")
    if settings.get("EMAIL_HOST_PASSWORD") and not encrypted and not near:
        seen.complain("insecure", "EMAIL_URL", "sends its password unencrypted", "write smtp+tls:// or smtp+ssl://")


def backups(seen: Examination) -> None:
    if seen.values["BACKUP_AGE_RECIPIENT"] and seen.values["BACKUP_GPG_RECIPIENT"]:
        problem = "is set beside BACKUP_AGE_RECIPIENT, but only one of them can be used"
        seen.complain("contradiction", "BACKUP_GPG_RECIPIENT", problem, "keep one of the two")
    names = ("BACKUP_S3_ACCESS_KEY_ID", "BACKUP_S3_SECRET_ACCESS_KEY")
    for name, other in (names, names[::-1]):
        if seen.values[name] and other not in seen.found:
            instead = "set both, or none to use the role of the machine"
            seen.complain("contradiction", name, f"is set without {other}", instead)


def file_mode(seen: Examination) -> None:
    """Warn about a file of real secrets that other people on this machine can read."""
    path = Path(seen.path or "")
    secret = any(BY_NAME[name].secret and found.where == seen.path for name, found in seen.found.items())
    if secret and path.suffix != ".example" and path.exists() and (mode := path.stat().st_mode & 0o777) & 0o137:
        problem = f"has secrets in it and mode {mode:03o}, so others can read or change it"
        seen.complain("mode", None, problem, f"chmod 600 {path}", warning=True)


EVERYWHERE: Checks = (former_keys, site_host, stopping, proxy, proxy_count, backups)
DEPLOYED_ONLY: Checks = (debug, secrets, hosts, placeholders, stack, env_file, hsts, limits, mail, file_mode)
