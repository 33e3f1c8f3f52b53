"""Every fault planted in an env file is named in one report, and nothing else is.

Each case is a whole file: the good one of conftest with other values, without some, and with lines added.
Its faults are written as `NAME code`; the report must hold exactly these, each on the line that has it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from tests.config.conftest import KEY, PASSWORD, Check, lines, spoiled, told

RECIPIENT = "age1" + "q" * 58
URL = f"postgres://todo_user:{PASSWORD}@db:5432/todo_db"
POOLED = f"postgres://todo_user:{PASSWORD}@pooler:6432/todo_db?disable_server_side_cursors=true"


@dataclass(frozen=True)
class Broken:
    text: str
    faults: str


def broken(faults: str, *, plus: str = "", without: str = "", **values: str) -> Broken:
    return Broken(spoiled(without=without, **values) + plus, faults)


ONE = [
    # missing
    broken("SECRET_KEY missing", without="SECRET_KEY"),
    broken("SITE_URL missing", without="SITE_URL"),
    broken("DATABASE_URL missing", without="POSTGRES_PASSWORD"),
    broken(
        "SECRET_KEY missing, SITE_URL missing, DATABASE_URL missing",
        without="SECRET_KEY SITE_URL POSTGRES_PASSWORD",
    ),
    # well-formed, and still no secret, no host of ours, nobody's own name
    broken("POSTGRES_PASSWORD insecure", POSTGRES_PASSWORD="passwordpassword1234"),
    broken("ALLOWED_HOSTS insecure", plus="ALLOWED_HOSTS=todo.example.org,.org\n"),
    broken("COMPOSE_PROJECT_NAME contradiction", plus="COMPOSE_PROJECT_NAME=todo-staging\n"),
    broken("DATABASE_URL invalid", plus=f"DATABASE_URL={URL}?connect_timeout=soon\n"),
    broken("DATABASE_URL invalid", plus=f"DATABASE_URL={URL}?client_encoding=LATIN1\n"),
    # templates' blanks and words instead of secrets
    broken("POSTGRES_PASSWORD insecure", POSTGRES_PASSWORD="<the-long-one>"),
    broken("POSTGRES_PASSWORD insecure", POSTGRES_PASSWORD="REPLACE_THIS_WITH_YOURS"),
    broken("POSTGRES_PASSWORD insecure", POSTGRES_PASSWORD="qwertyuiop123"),
    broken("POSTGRES_PASSWORD insecure", POSTGRES_PASSWORD="todo-prod-2026"),
    broken(
        "POSTGRES_PASSWORD portability",
        POSTGRES_PASSWORD=f"{PASSWORD[:8]}\u200b{PASSWORD}",
    ),
    broken("METRICS_TOKEN insecure", METRICS_TOKEN="%METRICS_TOKEN%"),
    broken("EMAIL_URL placeholder", EMAIL_URL="smtp+tls://user:password@mail.example.org:587"),
    broken("SENTRY_DSN placeholder", SENTRY_DSN="https://examplePublicKey@o0.ingest.sentry.io/0"),
    # empty
    broken("SECRET_KEY empty", SECRET_KEY=""),
    broken("DEBUG empty", DEBUG=""),
    broken("POSTGRES_PASSWORD empty", POSTGRES_PASSWORD=""),
    broken("GUNICORN_WORKERS empty", GUNICORN_WORKERS=""),
    broken("ALLOWED_HOSTS empty", ALLOWED_HOSTS=",,"),
    broken("SECRET_KEY_FALLBACKS empty", SECRET_KEY_FALLBACKS=","),
    # ill-typed
    broken("DEBUG invalid", DEBUG="ture"),
    broken("DEBUG invalid", DEBUG="enabled"),
    broken("DEBUG invalid", DEBUG="2"),
    broken("REGISTRATION_OPEN invalid", REGISTRATION_OPEN="t"),
    broken("GUNICORN_WORKERS invalid", GUNICORN_WORKERS="four"),
    broken("GUNICORN_WORKERS invalid", GUNICORN_WORKERS="4.0"),
    broken("REQUEST_BODY_MAX_BYTES invalid", REQUEST_BODY_MAX_BYTES="1_048_576"),
    broken("REQUEST_BODY_MAX_BYTES invalid", REQUEST_BODY_MAX_BYTES="1MB"),
    broken("PAGE_SIZE_MAX invalid", PAGE_SIZE_MAX="٢٠"),
    broken("SENTRY_TRACES_SAMPLE_RATE invalid", SENTRY_TRACES_SAMPLE_RATE="0.25abc"),
    broken("SENTRY_TRACES_SAMPLE_RATE invalid", SENTRY_TRACES_SAMPLE_RATE="1e-3"),
    broken("SENTRY_TRACES_SAMPLE_RATE invalid", SENTRY_TRACES_SAMPLE_RATE="1.5"),
    broken("LOG_LEVEL invalid", LOG_LEVEL="debug"),
    broken("LOG_FORMAT invalid", LOG_FORMAT="pretty"),
    broken("SENTRY_DSN invalid", SENTRY_DSN="https://sentry.example/1"),
    broken("DEFAULT_FROM_EMAIL invalid", DEFAULT_FROM_EMAIL="todo"),
    broken("COMPOSE_PROJECT_NAME invalid", COMPOSE_PROJECT_NAME="Todo Prod"),
    broken("IMAGE_TAG invalid", IMAGE_TAG="-1"),
    broken("SITE_ADDRESS invalid", SITE_ADDRESS="https://todo.example.org/path"),
    broken("DJANGO_ENV invalid", DJANGO_ENV="production"),
    # out of range
    broken("GUNICORN_WORKERS range", GUNICORN_WORKERS="0"),
    broken("HTTP_PORT range", HTTP_PORT="80800"),
    broken("PAGE_SIZE_MAX range", PAGE_SIZE_MAX="201"),
    broken("TRUSTED_PROXY_COUNT range", TRUSTED_PROXY_COUNT="-1"),
    broken("TASK_TITLE_MAX_LENGTH range", TASK_TITLE_MAX_LENGTH="99999999999999999999999"),
    # insecure here
    broken("DEBUG insecure", DEBUG="True"),
    broken("DEBUG insecure", DEBUG="1"),
    broken("SECRET_KEY insecure", SECRET_KEY=KEY[:49]),
    broken("SECRET_KEY insecure", SECRET_KEY="a" * 60),
    broken("SECRET_KEY insecure", SECRET_KEY="abcd" * 15),
    broken("SECRET_KEY insecure", SECRET_KEY=f"django-insecure-{KEY}"),
    broken("SECRET_KEY insecure", SECRET_KEY=f"{KEY}-Change-Me"),
    broken("SECRET_KEY insecure", SECRET_KEY="dev-only-throw-away-key-that-everybody-may-read-0123456789"),
    broken("SECRET_KEY_FALLBACKS insecure", SECRET_KEY_FALLBACKS="short"),
    broken("POSTGRES_PASSWORD insecure", POSTGRES_PASSWORD="postgres"),
    broken("POSTGRES_PASSWORD insecure", POSTGRES_PASSWORD="password1234"),
    broken("POSTGRES_PASSWORD insecure", POSTGRES_PASSWORD="dev-only-password"),
    broken("POSTGRES_PASSWORD insecure", POSTGRES_PASSWORD=KEY),
    broken("METRICS_TOKEN insecure", METRICS_TOKEN="metrics"),
    broken("BACKUP_PASSWORD insecure", BACKUP_PASSWORD="change-me-to-a-long-password"),
    broken("BACKUP_PASSWORD insecure", BACKUP_PASSWORD=PASSWORD),
    broken("POOLER_PASSWORD insecure", POOLER_PASSWORD="pooler"),
    broken("ALLOWED_HOSTS insecure", ALLOWED_HOSTS="*"),
    broken("ALLOWED_HOSTS insecure", ALLOWED_HOSTS="todo.example.org, *"),
    broken("CORS_ALLOWED_ORIGINS insecure", CORS_ALLOWED_ORIGINS="*"),
    broken("CORS_ALLOWED_ORIGINS insecure", CORS_ALLOWED_ORIGINS="https://a.example.org,http://b.example.org"),
    broken("CSRF_TRUSTED_ORIGINS insecure", CSRF_TRUSTED_ORIGINS="http://todo.example.org"),
    broken("SITE_URL insecure", SITE_URL="http://todo.example.org"),
    broken("DATABASE_URL insecure", DATABASE_URL="sqlite:///var/prod.sqlite3"),
    broken("DATABASE_URL insecure", DATABASE_URL="sqlite://:memory:"),
    broken("DATABASE_URL insecure", DATABASE_URL="postgres://todo@pg.example.org:5432/todo"),
    broken("DATABASE_URL insecure", DATABASE_URL="postgres://todo:todo@pg.example.org:5432/todo"),
    broken("SECURE_HSTS_SECONDS insecure", SECURE_HSTS_SECONDS="0"),
    broken("EMAIL_URL insecure", EMAIL_URL="smtp://todo:p4ssw0rd-of-mail@mail.example.org:25"),
    # placeholders of our own examples
    broken("SITE_URL placeholder", SITE_URL="https://change-me.example"),
    # values that do not go together
    broken("ALLOWED_HOSTS contradiction", ALLOWED_HOSTS="www.example.org"),
    broken("ALLOWED_HOSTS contradiction", ALLOWED_HOSTS=".other.example.org"),
    broken("SECRET_KEY_FALLBACKS contradiction", SECRET_KEY_FALLBACKS=KEY),
    broken("DATABASE_URL contradiction", DATABASE_URL=f"postgres://todo_user:{PASSWORD}x@db:5432/todo_db"),
    broken("DATABASE_URL contradiction", DATABASE_URL=f"postgres://admin:{PASSWORD}@db:5432/todo_db"),
    broken("DATABASE_URL contradiction", DATABASE_URL=URL, POSTGRES_ROLE="todo_user_b"),
    broken("POSTGRES_ROLE invalid", POSTGRES_ROLE="postgres"),
    broken(
        "POOLER_PASSWORD missing",
        COMPOSE_FILE="docker-compose.yml:docker-compose.prod.yml:deploy/pooler/docker-compose.yml",
    ),
    broken("DATABASE_CONN_MAX_AGE contradiction", DATABASE_URL=f"{URL}?pool=true", DATABASE_CONN_MAX_AGE="60"),
    broken("DATABASE_DIRECT_URL missing", DATABASE_URL=POOLED),
    broken("DATABASE_URL contradiction", DATABASE_URL=f"{POOLED}&pool=true", DATABASE_DIRECT_URL=URL),
    broken("DATABASE_DIRECT_URL contradiction", DATABASE_URL=URL, DATABASE_DIRECT_URL=URL),
    broken("DATABASE_DIRECT_URL contradiction", DATABASE_URL=POOLED, DATABASE_DIRECT_URL=POOLED),
    broken(
        "DATABASE_DIRECT_URL insecure",
        DATABASE_URL=POOLED,
        DATABASE_DIRECT_URL="postgres://todo@pg.example.org:5432/todo",
    ),
    broken(
        "DATABASE_DIRECT_URL contradiction",
        DATABASE_URL=POOLED,
        DATABASE_DIRECT_URL=f"postgres://todo_user:{PASSWORD}x@db:5432/todo_db",
    ),
    broken("DATABASE_REPLICA_URL contradiction", DATABASE_URL=URL, DATABASE_REPLICA_URL=f"{URL}?sslmode=require"),
    broken("DATABASE_REPLICA_URL insecure", DATABASE_REPLICA_URL="postgres://todo@pg.example.org:5432/todo"),
    broken(
        "DATABASE_REPLICA_URL insecure, DATABASE_REPLICA_URL contradiction",
        DATABASE_REPLICA_URL="sqlite:///var/replica.sqlite3",
    ),
    broken("DATABASE_DIRECT_URL invalid", DATABASE_URL=POOLED, DATABASE_DIRECT_URL="pg.example.org"),
    broken(
        "DATABASE_MAX_CONNECTIONS contradiction",
        DATABASE_MAX_CONNECTIONS="100",
        GUNICORN_WORKERS="8",
        BACKEND_REPLICAS="13",
    ),
    broken("DATABASE_MAX_CONNECTIONS contradiction", DATABASE_MAX_CONNECTIONS="20", GUNICORN_THREADS="8"),
    broken("DATABASE_MAX_CONNECTIONS contradiction", DATABASE_MAX_CONNECTIONS="9"),  # 4 + 2 jobs + 4 to spare
    broken("GUNICORN_GRACEFUL_TIMEOUT contradiction", GUNICORN_GRACEFUL_TIMEOUT="30", GUNICORN_TIMEOUT="60"),
    broken("GUNICORN_GRACEFUL_TIMEOUT contradiction", GUNICORN_TIMEOUT="20"),
    broken("GUNICORN_DRAIN_SECONDS contradiction", GUNICORN_DRAIN_SECONDS="5"),
    broken("SITE_ADDRESS contradiction", SITE_ADDRESS="localhost"),
    broken("SITE_ADDRESS contradiction", SITE_ADDRESS=":8081"),  # the container's port, not the host's
    broken("SITE_ADDRESS contradiction", SITE_ADDRESS="todo.example.org:8443"),
    broken("SITE_ADDRESS invalid", SITE_ADDRESS=":65536"),
    broken("SITE_ADDRESS invalid", SITE_ADDRESS="todo.example.org:0"),
    broken("HTTPS_PORT contradiction", HTTP_PORT="443"),
    broken("COMPOSE_FILE missing", without="COMPOSE_FILE"),
    broken("COMPOSE_FILE invalid", COMPOSE_FILE="docker-compose.yml"),
    broken("COMPOSE_FILE invalid", COMPOSE_FILE="docker-compose.prod.yml:docker-compose.yml"),
    broken("COMPOSE_FILE invalid", COMPOSE_FILE="docker-compose.yml:docker-compose.override.yml"),
    broken("HTTP_BIND invalid", HTTP_BIND="localhost"),
    broken("IMAGE_REPOSITORY invalid", IMAGE_REPOSITORY="https://registry.example.org/team"),
    broken("IMAGE_REPOSITORY invalid", IMAGE_REPOSITORY="registry.example.org/team/todo-backend"),
    broken("BACKEND_MEMORY invalid", BACKEND_MEMORY="1 GB"),
    # processes that do not fit into their container
    broken("BACKEND_MEMORY contradiction", GUNICORN_WORKERS="12"),
    broken("BACKEND_MEMORY contradiction", BACKEND_MEMORY="256m"),
    broken("BACKEND_PIDS contradiction", GUNICORN_THREADS="20", BACKEND_MEMORY="4g"),
    broken("WORKER_MEMORY contradiction", WORKER_CONCURRENCY="8"),
    broken("WORKER_PIDS contradiction", WORKER_CONCURRENCY="40", WORKER_MEMORY="4g"),
    # proxies and HSTS
    broken("TRUSTED_PROXY_COUNT contradiction", SITE_ADDRESS=":80", TRUSTED_PROXY_COUNT="1"),
    broken("TRUSTED_PROXY_COUNT contradiction", SITE_ADDRESS="todo.example.org", TRUSTED_PROXY_COUNT="2"),
    broken("TRUSTED_PROXY_COUNT contradiction", SITE_ADDRESS="todo.example.org", TRUSTED_PROXY_COUNT="0"),
    broken("SECURE_HSTS_PRELOAD contradiction", SECURE_HSTS_PRELOAD="True"),
    broken(
        "SECURE_HSTS_PRELOAD contradiction",
        SECURE_HSTS_PRELOAD="True",
        SECURE_HSTS_INCLUDE_SUBDOMAINS="True",
        SECURE_HSTS_SECONDS="3600",
    ),
    broken("CORS_ALLOWED_ORIGIN_REGEXES invalid", CORS_ALLOWED_ORIGIN_REGEXES="https://.*"),
    broken("CORS_ALLOWED_ORIGIN_REGEXES insecure", CORS_ALLOWED_ORIGIN_REGEXES=r"http://.*\.example\.org"),
    broken("CSRF_TRUSTED_ORIGINS invalid", CSRF_TRUSTED_ORIGINS="https://*.org"),
    broken("DJANGO_ENV contradiction", DJANGO_ENV="staging"),
    broken("BACKUP_REPOSITORY contradiction", BACKUP_REPOSITORY="sftp:me@host:/x", BACKUP_S3_URL="s3://bucket/x"),
    broken("BACKUP_S3_ACCESS_KEY_ID contradiction", BACKUP_S3_ACCESS_KEY_ID="key"),
    broken("BACKUP_S3_SECRET_ACCESS_KEY contradiction", BACKUP_S3_SECRET_ACCESS_KEY="p7RkQm2xVt9LwN4c"),
    # URLs, hosts and origins
    broken("DATABASE_URL invalid", DATABASE_URL="foo://x/y"),
    broken("DATABASE_URL invalid", DATABASE_URL="mysql://todo:pass@db/todo"),
    broken("DATABASE_URL invalid", DATABASE_URL="todo_db"),
    broken("DATABASE_URL invalid", DATABASE_URL="postgres://todo_user:p/q7RkQm2xVt9L@db:5432/todo_db"),
    broken("DATABASE_URL invalid", DATABASE_URL="postgres://todo_user:p%zq7RkQm2xVt9L@db:5432/todo_db"),
    broken("DATABASE_URL invalid", DATABASE_URL=f"postgres://todo_user:{PASSWORD}@db:54x2/todo_db"),
    broken("DATABASE_URL invalid", DATABASE_URL=f"postgres://todo_user:{PASSWORD}@db:5432"),
    broken("DATABASE_URL invalid", DATABASE_URL="postgres://todo_user@/todo_db"),
    broken("DATABASE_URL invalid", DATABASE_URL=f"{URL}?pool=yes"),
    broken("DATABASE_URL invalid", DATABASE_URL=f"{URL}?sslmod=require"),
    broken("DATABASE_URL invalid", DATABASE_URL=f"postgres://todo:{PASSWORD}@pg.example.org/todo/db"),
    broken("DATABASE_URL invalid", DATABASE_URL=f"postgres://:{PASSWORD}@pg.example.org/todo"),
    broken("EMAIL_URL invalid", EMAIL_URL="mail.example.org"),
    broken("EMAIL_URL invalid", EMAIL_URL="smtp+tls://"),
    broken("EMAIL_URL invalid", EMAIL_URL="smtp+tls://u:p@mail.example.org:465"),
    broken("SITE_URL invalid", SITE_URL="todo.example.org"),
    broken("SITE_URL invalid", SITE_URL="https://todo.example.org/"),
    broken("SITE_URL invalid", SITE_URL="https://todo.example.org/app"),
    broken("SITE_URL invalid", SITE_URL="https://me:secret@todo.example.org"),
    broken("CORS_ALLOWED_ORIGINS invalid", CORS_ALLOWED_ORIGINS="app.example.org"),
    broken("CORS_ALLOWED_ORIGINS invalid", CORS_ALLOWED_ORIGINS="https://app.example.org/"),
    broken("CSRF_TRUSTED_ORIGINS invalid", CSRF_TRUSTED_ORIGINS="https://app.example.org:port"),
    broken("ALLOWED_HOSTS invalid", ALLOWED_HOSTS="https://todo.example.org"),
    broken("BACKUP_AT invalid", BACKUP_AT="24:00"),
    broken("BACKUP_AT invalid", BACKUP_AT="3:15"),
    broken("BACKUP_KEEP_DAILY range", BACKUP_KEEP_DAILY="0"),
    broken("BACKUP_AGE_RECIPIENT unknown", BACKUP_AGE_RECIPIENT=RECIPIENT),
    broken("BACKUP_GPG_RECIPIENT unknown", BACKUP_GPG_RECIPIENT="A" * 40),
    broken("BACKUP_REPOSITORY invalid", BACKUP_REPOSITORY="somewhere"),
    broken("BACKUP_S3_URL invalid", BACKUP_S3_URL="https://bucket.example.org"),
    broken("BACKUP_S3_ENDPOINT invalid", BACKUP_S3_ENDPOINT="s3.example.org"),
    broken("ALLOWED_HOSTS invalid", ALLOWED_HOSTS="todo.example.org:443"),
    broken("ALLOWED_HOSTS invalid", ALLOWED_HOSTS="todo.example.org;api.example.org"),
    broken("CORS_ALLOWED_ORIGINS invalid", CORS_ALLOWED_ORIGINS="https://a.example.org https://b.example.org"),
    broken("DEFAULT_FROM_EMAIL invalid", DEFAULT_FROM_EMAIL="todo@example.org\\"),
    # names
    broken("SECERT_KEY unknown", SECERT_KEY="x"),
    broken("debug unknown", debug="True"),
    broken("Debug unknown", Debug="True"),
    broken("DJANGO_SECRET_KEY unknown", DJANGO_SECRET_KEY="x"),
    broken("GUNICORN_WORKER unknown", GUNICORN_WORKER="8"),
    broken("COMPOSE_PROJECT_NAM unknown", COMPOSE_PROJECT_NAM="todo"),
    broken("POSTGRES_USER unknown", POSTGRES_USER="me"),
    broken("DEBUG_FIL unknown", DEBUG_FIL="/run/secrets/debug"),
    broken("SOMETHING_ELSE unknown", SOMETHING_ELSE="x"),
    # given twice
    broken("DEBUG twice", plus="DEBUG=False\nDEBUG=False\n"),
    broken("DEBUG twice", plus="DEBUG=ture\nDEBUG=False\n"),
    broken("FOO twice, FOO unknown", plus="FOO=1\nFOO=1\n"),
    broken("SECRET_KEY twice, SECRET_KEY_FILE file", plus="SECRET_KEY_FILE=/nonexistent/key\n"),
    # *_FILE
    broken("SECRET_KEY_FILE file", without="SECRET_KEY", SECRET_KEY_FILE="/nonexistent/key"),
    broken("SECRET_KEY_FILE file", without="SECRET_KEY", SECRET_KEY_FILE="/"),
    broken("SECRET_KEY_FILE file", without="SECRET_KEY", SECRET_KEY_FILE="/dev/null"),
    broken("SECRET_KEY_FILE file", without="SECRET_KEY", SECRET_KEY_FILE=""),
    broken("IMAGE_TAG_FILE file", IMAGE_TAG_FILE="/etc/hostname"),
    # lines that are not read alike
    broken("DEBUG portability", plus="DEBUG = False\n"),
    broken("DEBUG portability", plus="export DEBUG=False\n"),
    broken("DEBUG portability", plus="DEBUG= False\n"),
    broken("DEBUG portability", plus="DEBUG=False \n"),
    broken("DEBUG portability", plus="DEBUG: False\n"),
    broken("DEBUG portability", plus='DEBUG="False"\n'),
    broken("DEBUG portability", plus="DEBUG='False' # off\n"),
    broken("DEBUG portability", plus="DEBUG=False # off\n"),
    broken("DEBUG portability", plus="DEBUG=$OFF\n"),
    broken("POSTGRES_PASSWORD portability", POSTGRES_PASSWORD="p7RkQm2x$$Vt9LwZ4cNs8"),
    broken("DEBUG portability", plus="DEBUG\n"),
    broken("None portability", plus="what is this\n"),
    broken("IMAGE_TAG portability", plus="IMAGE_TAG=1.0\u2028\n"),
    broken("SENTRY-DSN portability, SENTRY-DSN unknown", plus="SENTRY-DSN=x\n"),
    broken("SECRET_KEY portability", SECRET_KEY=f'"{KEY}"'),
    broken("SECRET_KEY portability", SECRET_KEY=f"'{KEY}' # the key"),
]

TEN = Broken(
    lines(
        {
            "DJANGO_ENV": "staging",
            "debug": "True",
            "DEBUG": "yes",
            "SECRET_KEY": "change-me",
            "SECERT_KEY_FALLBACKS": "x",
            "ALLOWED_HOSTS": "*,https://x",
            "CORS_ALLOWED_ORIGINS": "http://app.example.org,app.example.org",
            "DATABASE_URL": "sqlite:///x.sqlite3",
            "GUNICORN_WORKERS": "many",
            "LOG_LEVEL": "",
            "PAGE_SIZE_MAX": "0",
            "METRICS_TOKEN_FILE": "/nonexistent",
            "EMAIL_URL": "smtp://",
        }
    )
    + 'IMAGE_TAG="1.0"\nPOSTGRES_PASSWORD="two\nlines"\nHTTP_PORT=80\nHTTP_PORT=x\n',
    "DJANGO_ENV contradiction, debug unknown, DEBUG insecure, SECRET_KEY insecure, SECERT_KEY_FALLBACKS unknown, "
    "ALLOWED_HOSTS insecure, ALLOWED_HOSTS invalid, CORS_ALLOWED_ORIGINS invalid, CORS_ALLOWED_ORIGINS insecure, "
    "DATABASE_URL insecure, GUNICORN_WORKERS invalid, LOG_LEVEL empty, PAGE_SIZE_MAX range, "
    "METRICS_TOKEN_FILE file, EMAIL_URL invalid, "
    "IMAGE_TAG portability, POSTGRES_PASSWORD portability, "
    "HTTP_PORT twice, HTTP_PORT invalid, SITE_URL missing, COMPOSE_FILE missing, None portability",
)


def planted(case: Broken) -> set[tuple[str | None, str]]:
    faults = (fault.split() for fault in case.faults.split(", "))
    return {(None if name == "None" else name, code) for name, code in faults}


def test_the_good_file_is_good(check: Check) -> None:
    assert check(spoiled()).findings == []


@pytest.mark.parametrize("case", [*ONE, TEN], ids=lambda case: case.faults[:60])
def test_exactly_the_planted_faults_are_reported(check: Check, case: Broken) -> None:
    assert told(check(case.text)) == planted(case)


@pytest.mark.parametrize("case", [*ONE, TEN], ids=lambda case: case.faults[:60])
def test_a_fault_is_reported_on_its_line_with_what_to_write_instead(check: Check, case: Broken) -> None:
    written = case.text.split("\n")
    for problem in check(case.text).errors:
        assert problem.instead
        if problem.variable and problem.code != "missing" and problem.line:
            assert problem.variable in written[problem.line - 1]


def alone(case: Broken) -> bool:
    """Say whether a case's one fault stays the same beside any other."""
    faults = planted(case)
    return len(faults) == 1 and next(iter(faults))[1] in {"invalid", "range", "empty", "unknown", "portability"}


@pytest.mark.parametrize("seed", range(30))
def test_ten_faults_in_one_file_are_all_reported(check: Check, seed: int) -> None:
    chosen = random.Random(seed).sample([case for case in ONE if alone(case)], 14)
    added = {name: case for case in chosen for name, _ in planted(case) if name}
    text = "".join(
        line + "\n"
        for name, case in added.items()
        for line in case.text.split("\n")
        if line.lstrip("export ").startswith(name)
    )
    kept = "".join(line for line in spoiled().splitlines(keepends=True) if line.partition("=")[0] not in added)
    expected = {fault for case in added.values() for fault in planted(case)}
    assert len(expected) >= 7
    assert expected <= told(check(text + kept))
