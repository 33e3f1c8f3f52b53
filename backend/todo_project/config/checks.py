"""Compare the values with each other and with the environment that they are for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from todo_project.config import environments, paths
from todo_project.config.environments import ENVIRONMENTS, host_of
from todo_project.config.findings import Examination, shown
from todo_project.config.schema import BY_NAME, NEW_SECRET

# Whether it applies, the code, the variable, what is wrong, what to do.
Rule = tuple[object, str, str, str, str]
Checks = tuple[Callable[[Examination], None], ...]

STOP_PERIOD: Final = 30  # seconds after which Compose kills a container that was asked to stop
YEAR: Final = 31_536_000
_GUESSABLE: Final = ("SECRET_KEY", "POSTGRES_PASSWORD", "METRICS_TOKEN", "POOLER_PASSWORD", "BACKUP_PASSWORD")
# In our example files, in Sentry's page on DSNs, in the mail URL of the docs.
_PLACEHOLDER: Final = re.compile(r"change-me|//examplePublicKey@|^smtp[^/]*//[^/]*:(?:password|secret)@", re.I)
# In secrets: defaults that everyone knows, and what a template leaves to be filled in.
_TEMPLATE: Final = re.compile(
    r"change[-_]?(?:me|this)|replace[-_]?(?:me|this)|your[-_]?(?:key|password|secret)|"
    r"django-insecure|dev-only|test-only|example|insecure|not-a-secret|placeholder|secret[-_]?key|todo_password|x{6}|"
    r"^(?:<.*>|\{\{.*\}\}|\[.*\]|%[a-z_]+%)$",
    re.IGNORECASE,
)
# Tried first by whoever guesses.
_COMMON: Final = re.compile(
    r"postgres(?:ql)?|database|passw(?:or|0r)?d|pass|secret|token|admin(?:istrator)?|root|user|todo(?:_user|_db)?|"
    r"prod(?:uction)?|staging|server|test|demo|qwerty(?:uiop)?|asdfgh(?:jkl)?|zxcvbnm|letmein|welcome|master|hello|"
    r"1q2w3e4r|1qaz2wsx|abc|[0-9!._-]",
    re.IGNORECASE,
)


def weakness_of_key(text: str, length: int = 50) -> str:
    """Return why a text is not a signing key, or nothing; the numbers are those of Django's check security.W009."""
    reasons = {
        "it is a default or a placeholder that everyone knows": bool(_TEMPLATE.search(text)),
        f"it is shorter than {length} characters": len(text) < length,
        "it has fewer than 5 different characters": len(set(text)) < 5,
        "it has white space or an invisible character in it": " " in text or not text.isprintable(),
    }
    return "; ".join(reason for reason, applies in reasons.items() if applies)


def weakness_of_password(text: str) -> str:
    """Return why a text is not a password, or nothing."""
    common = "it consists of common words and digits" if len(_COMMON.sub("", text)) < 4 else ""
    return weakness_of_key(text, length=12) or common


def judge(seen: Examination, *rules: Rule) -> None:
    for applies, code, name, problem, instead in rules:
        if applies:
            seen.complain(code, name, problem, instead)


def secrets(seen: Examination) -> None:
    """Refuse secrets that can be guessed, and one secret in two places: whoever learns one has both."""
    before: dict[str, str] = {}
    for name in _GUESSABLE:
        if text := seen.given(name):
            weakness = weakness_of_key if name == "SECRET_KEY" else weakness_of_password
            reasons = weakness(text) or (f"it is the same as {before[text]}" if text in before else "")
            judge(seen, (reasons, "insecure", name, f"is not safe: {reasons}", f"take one from {NEW_SECRET}"))
            before.setdefault(text, name)
    for number, former in enumerate(seen.values["SECRET_KEY_FALLBACKS"] or [], start=1):
        reasons, name = weakness_of_key(former), "SECRET_KEY_FALLBACKS"
        judge(seen, (reasons, "insecure", name, f"is not safe, key {number}: {reasons}", "leave this key out"))


# A rule takes two lines, so that the tables can be read.
# fmt: off
def insecure_values(seen: Examination) -> None:
    wide = any(item in {"*", "*."} or re.fullmatch(r"\.[^.]*\.?", item) for item in seen.items("ALLOWED_HOSTS"))
    judge(seen,
        (wide, "insecure", "ALLOWED_HOSTS",
         "has `*` or a top-level domain, so it accepts foreign Host headers", "name the hosts, or remove the line"),
        (seen.values["DEBUG"], "insecure", "DEBUG",
         f"is on in {seen.env}: its pages show source and settings", "write DEBUG=False"))
    for name in ("SITE_URL", "CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS", "CORS_ALLOWED_ORIGIN_REGEXES"):
        plain = ", ".join(shown(item) for item in seen.items(name) if re.match(r"\^?http:", item, re.IGNORECASE))
        judge(seen, (plain, "insecure", name, f"has plain http in {seen.env}: {plain}", "write https:// there"))
    for name in (each for each in seen.found if each not in {*_GUESSABLE, "SECRET_KEY_FALLBACKS"}):
        judge(seen, (_PLACEHOLDER.search(seen.texts[name]), "placeholder", name,
                     "is still the placeholder of an example", "write your own value"))


def lists(seen: Examination) -> None:
    host, patterns = host_of(seen.values["SITE_URL"]), [each.lower() for each in seen.given("ALLOWED_HOSTS") or []]
    # .example.org stands for example.org as well
    fits = [each for each in patterns if each in {"*", host} or (each[0] == "." and f".{host}".endswith(each))]
    key, former = seen.values["SECRET_KEY"], seen.values["SECRET_KEY_FALLBACKS"] or []
    judge(seen,
        (host and patterns and not fits, "contradiction", "ALLOWED_HOSTS",
         f"does not have {host}, the host of SITE_URL, so every request would be refused", f"add {host}"),
        (len({key, *former}) <= len(former), "contradiction", "SECRET_KEY_FALLBACKS",
         "has SECRET_KEY or another key in it twice", "list each former key once"))


def stack(seen: Examination) -> None:
    project = seen.given("COMPOSE_PROJECT_NAME")
    others = {environments.project_name({"DJANGO_ENV": env}): env for env in ENVIRONMENTS if env != seen.env}
    path, text = Path(seen.path or ""), seen.texts["ENV_FILE"]
    named, given = paths.ENVS_DIR.parent / text, "ENV_FILE" in seen.found
    here, name = path.parent == paths.ENVS_DIR, path.name.partition(".")[0]
    judge(seen,
        (project in others, "contradiction", "COMPOSE_PROJECT_NAME",
         f"is {project}, the name of {others.get(project)}: the two would share volumes", "write another name"),
        (seen.path and "COMPOSE_FILE" not in seen.found, "missing", "COMPOSE_FILE",
         "is missing, so `docker compose --env-file` without -f would start the development stack",
         f"add this line: COMPOSE_FILE={environments.COMPOSE_FILES}"),
        (here and given and named.exists() and not named.samefile(path), "contradiction", "ENV_FILE",
         f"is {text}, but this file is envs/{path.name}", f"write ENV_FILE=envs/{path.name}"),
        (here and not given and path.name.removesuffix(".example") != named.name, "missing", "ENV_FILE",
         f"is missing, so Compose would give the application {text}", f"add this line: ENV_FILE=envs/{path.name}"),
        (here and name not in ENVIRONMENTS and "COMPOSE_PROJECT_NAME" not in seen.found,
         "missing", "COMPOSE_PROJECT_NAME", f"is missing, so Compose would work on the stack todo-{seen.env}",
         f"add this line: COMPOSE_PROJECT_NAME=todo-{name}"))
    password = seen.found.get("POSTGRES_PASSWORD")
    if password and password.where == seen.path and password.source.startswith("POSTGRES_PASSWORD_FILE, "):
        problem = "is in a file that Compose does not read, so the database and the backups would have no password"
        seen.complain("file", "POSTGRES_PASSWORD", problem, "write POSTGRES_PASSWORD itself")
    if seen.path and seen.given("IMAGE_TAG") == "local":
        problem = "is local, which is every environment's: what one builds, another one would start"
        seen.complain("shared", "IMAGE_TAG", problem, "remove the line, or write a tag of its own", warning=True)


def proxy(seen: Examination) -> None:
    site, address = seen.values["SITE_URL"], seen.given("SITE_ADDRESS")
    http, https, count = seen.values["HTTP_PORT"], seen.values["HTTPS_PORT"], seen.given("TRUSTED_PROXY_COUNT")
    parts, behind = urlsplit(site or ""), environments.behind_another_proxy(address)
    name, port = re.sub(r"^https?://|:[0-9]*$", "", address or "").lower(), parts.port or 443
    other_name = site and name and name != host_of(site)
    own = int((re.findall(r":([0-9]+)$", address or "") or [80])[0])
    judge(seen,
        (http is not None and http == https, "contradiction", "HTTPS_PORT",
         f"is {https}, the same as HTTP_PORT", "write another port"),
        (own > 65535, "invalid", "SITE_ADDRESS",
         f"is {address}, which has no usable port", "write a port from 1 to 65535, or leave it out"),
        (seen.path and own <= 65535 and own not in {80, https}, "contradiction", "SITE_ADDRESS",
         f"is {address}, but Compose forwards nothing to port {own} of the proxy",
         "write :80 there, and the port of this machine in HTTP_PORT"),
        (other_name, "contradiction", "SITE_ADDRESS",
         f"is {address}, but people type {site}", f"write {host_of(site)}, or :80 behind another proxy"),
        (count is not None and address and (count < 2 if behind else count != 1),
         "contradiction", "TRUSTED_PROXY_COUNT",
         f"is {count}, but SITE_ADDRESS={address} means {'two proxies or more' if behind else 'one proxy'}",
         f"write {2 if behind else 1}; SITE_ADDRESS is :80 behind another proxy, and only there"))
    if count == 0 and not address and seen.deployed:
        problem = "is 0, so all visitors have the proxy's address, and ten wrong passwords of one lock out all"
        seen.complain("insecure", "TRUSTED_PROXY_COUNT", problem, "write 1, or remove the line", warning=True)
    if (name or not address) and not other_name and seen.path and parts.scheme == "https" and https != port:
        problem = f"is {https}, but people type {site}, which means port {port}"
        instead = f"write HTTPS_PORT={port}, or add the port to SITE_URL, unless something in front maps it"
        seen.complain("contradiction", "HTTPS_PORT", problem, instead, warning=True)


def hsts(seen: Examination) -> None:
    seconds, subdomains = seen.values["SECURE_HSTS_SECONDS"], seen.values["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    usable = subdomains and (seconds or 0) >= YEAR
    judge(seen,
        (seconds == 0, "insecure", "SECURE_HSTS_SECONDS",
         f"is 0 in {seen.env}, so browsers may be led to plain http", f"write {YEAR}, or remove the line"),
        (seen.values["SECURE_HSTS_PRELOAD"] and not usable, "contradiction", "SECURE_HSTS_PRELOAD",
         "is on, but browsers take a host only with all its subdomains and for at least a year",
         f"write SECURE_HSTS_INCLUDE_SUBDOMAINS=True and SECURE_HSTS_SECONDS={YEAR}, or remove the line"))


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
        judge(seen, (room is not None and needed > room, "contradiction", name,
            f"is {value}, but {what} can need {needed}{unit}", f"write {needed}{unit}, or lower the other"))


def stopping(seen: Examination) -> None:
    name, grace = "GUNICORN_GRACEFUL_TIMEOUT", seen.given("GUNICORN_GRACEFUL_TIMEOUT") or 25
    timeout, drain = seen.values["GUNICORN_TIMEOUT"] or 3600, seen.values["GUNICORN_DRAIN_SECONDS"] or 0
    killed = f"so the container is killed, {STOP_PERIOD} s after it was asked to stop"
    judge(seen,
        (grace >= STOP_PERIOD, "contradiction", name, f"is {grace}, {killed}", "write 25"),
        (grace < STOP_PERIOD <= grace + drain, "contradiction", "GUNICORN_DRAIN_SECONDS",
         f"is {drain} before {name}={grace}, {killed}", f"write {STOP_PERIOD - grace - 1}, or lower {name}"),
        (grace >= timeout, "contradiction", name,
         f"is {grace}, not less than GUNICORN_TIMEOUT, which is {timeout}", "lower it, or raise GUNICORN_TIMEOUT"))


def mail(seen: Examination) -> None:
    settings = seen.given("EMAIL_URL") or {}
    host, tls = settings.get("EMAIL_HOST", ""), settings.get("EMAIL_USE_TLS") or settings.get("EMAIL_USE_SSL")
    # A name without a dot is a neighbour in the same network of containers.
    near = not re.search(r"[.:]", host) or host.startswith("127.")
    judge(seen, (settings.get("EMAIL_HOST_PASSWORD") and not tls and not near, "insecure", "EMAIL_URL",
                 "sends its password unencrypted", "write smtp+tls:// or smtp+ssl://"))


def backups(seen: Examination) -> None:
    names = ("BACKUP_S3_ACCESS_KEY_ID", "BACKUP_S3_SECRET_ACCESS_KEY")
    judge(seen,
        (seen.given("BACKUP_REPOSITORY") and seen.given("BACKUP_S3_URL"), "contradiction", "BACKUP_REPOSITORY",
         "is set beside BACKUP_S3_URL", "keep one of the two"),
        *((seen.values[name] and other not in seen.found, "contradiction", name,
           f"is set without {other}", "set both, or none to use the role of the machine")
          for name, other in (names, names[::-1])))
    for name in ("BACKUP_REPOSITORY", "BACKUP_S3_URL"):
        if seen.given(name) and "BACKUP_PASSWORD" not in seen.found:
            seen.complain("insecure", name, "is set without BACKUP_PASSWORD, so that copies leave this machine "
                "unencrypted", f"set BACKUP_PASSWORD; take one from {NEW_SECRET}", warning=True)
# fmt: on


def file_mode(seen: Examination) -> None:
    """Warn about a file of real secrets that other people on this machine can read."""
    path = Path(seen.path or "")
    secret = any(BY_NAME[name].secret and found.where == seen.path for name, found in seen.found.items())
    if secret and path.suffix != ".example" and path.exists() and (mode := path.stat().st_mode & 0o777) & 0o137:
        problem = f"has secrets in it and mode {mode:03o}, so others can read or change it"
        seen.complain("mode", None, problem, f"chmod 600 {paths.shown(path)}", warning=True)


EVERYWHERE: Checks = (lists, stopping, proxy, backups)
DEPLOYED_ONLY: Checks = (secrets, insecure_values, stack, hsts, limits, mail, file_mode)
