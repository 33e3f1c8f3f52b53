"""This will write docs/configuration.md from the schema."""

from __future__ import annotations

from todo_project.config.schema import VARIABLES
from todo_project.config.urls import BACKEND_DIR
from todo_project.config.variable import ENVIRONMENTS, Derived, Variable

PATH = BACKEND_DIR.parent / "docs" / "configuration.md"

_INTRODUCTION = """\
<!-- Generated from backend/todo_project/config/ by `make docs`; a test fails when it is not current. -->
# Configuration

Everything that may be set from outside is one of the variables below. They are declared in
`backend/todo_project/config/schema.py`, one row each; the values that settings use, this page and the
example files in `envs/` come from those rows.

## Where a value comes from

The first of these that has it, for every variable alike:

1. the process environment: `NAME`
2. the file that `NAME_FILE` names (in the process environment or in the env file); white space around its
   content is not part of the value
3. `envs/<env>.env`, where `<env>` is `DJANGO_ENV` (in a container there is no such file: Compose has read it)
4. the default

`NAME` and `NAME_FILE` side by side in the same place are an error, and so are an empty value, an unknown name
in an env file, and a name in the process environment that is nearly one of these. `NAME_FILE` does not work
for what Compose and make read themselves, except for `POSTGRES_PASSWORD`.

## Commands

Run them in `backend/`, with `.venv/bin/python`. They exit with 0 where all is well, with 1 where there are
problems and with 2 where they were called wrongly. `--env` and `--file` choose the environment and the env
file, `--json` (of check, show and diff) is for machines. No command prints a secret.

| command | does |
| --- | --- |
| `python -m todo_project.config check` | every problem at once, each with what to write instead |
| `python -m todo_project.config show` | every value and where it comes from, secrets masked |
| `python -m todo_project.config diff staging prod` | what differs; of secrets only whether |
| `python -m todo_project.config init --env prod` | writes `envs/prod.env` with fresh secrets |
| `python -m todo_project.config docs` | prints this page; `--write` writes it and `envs/*.env.example` |

`init` writes with mode 600 and never over an existing file; `--site-url https://todo.example.org` makes it
complete for that name, without it the service answers as https://localhost. From the repository's root,
`make init ENV=prod SITE_URL=https://todo.example.org` and `make check-config ENV=prod` do the same. Containers run
`check` before anything else.

## How to write an env file

One `NAME=value` a line, and lines that begin with `#`. No quotes, no `$`, no `export`, no spaces around `=` or
behind the value, no comment behind it. The reason is that three programs read these files, and disagree:

| line | Compose | django-environ | `docker run --env-file` |
| --- | --- | --- | --- |
| `A="x y"` | `x y` | `x y` | `"x y"`, with the quotes |
| `A="x" # note` | `x` | `"x" # note` | `"x" # note` |
| `A=x # note` | `x` | `x # note` | `x # note` |
| `A = x`, `export  A=x` | `x` | nothing | refuses the file |
| `A= x` | `x` | a space and `x` | a space and `x` |
| `A=pa$word` | `pa` | `pa$word` | `pa$word` |
| `A=$B` | the value of `B` | the value of `B`, when it is used | `$B` |
| `A="two`, `lines"` | both lines | one line with a quote | two lines |
| `A` | the value of the shell | nothing | the value of the shell |

The check refuses every line that they would read differently, with its number and the readings. A password in
a URL has its special characters percent-encoded: `/` is `%2F`, `@` is `%40`, `#` is `%23`, `%` is `%25`.

## What is read more strictly than django-environ does

| value | django-environ 0.14 by itself | here |
| --- | --- | --- |
| `DEBUG=ture` | false, silently | an error; true, yes, on, 1 and false, no, off, 0 are understood |
| `NAME=` | false, `''`, or an error without a name | an error with the name |
| `ALLOWED_HOSTS=a, b` | `' b'`, which matches nothing | `a` and `b` |
| `NAME=$OTHER` | the value of `OTHER`, or the default, or an endless loop | an error |
| `SENTRY_TRACES_SAMPLE_RATE=0.25abc` | 0.25 | an error |
| `DATABASE_URL=foo://…` | a database engine named foo | an error |
| a `/` in the URL's password | `Port could not be cast` | an error that says to percent-encode it |
| `?pool=true` | the text `true`, which Django refuses | a pool |
| `NAME_FILE` | keeps the newline at the end, wins silently | trimmed; both together are an error |
| an env file that is missing | silence | an error where it was asked for |

## What is refused in staging and prod

DEBUG; a SECRET_KEY (or one of SECRET_KEY_FALLBACKS) that is missing, shorter than 50 characters, of fewer than
10 different characters, repetitive, counted up as in abc or 123, typed along the keyboard, made of words, the
development key or a placeholder; passwords and tokens shorter than 12 characters or made of common words; white
space and invisible characters in a secret; the same secret in two places; `*` or `.com` in ALLOWED_HOSTS;
plain-http origins and SITE_URL; SECURE_HSTS_SECONDS=0; SQLite; a database URL without a password; the
COMPOSE_PROJECT_NAME, and with it the volumes, of another environment; a mail password sent unencrypted. An env
file with secrets that others can read is a warning.

Everywhere: SITE_URL's host missing from ALLOWED_HOSTS, SITE_ADDRESS of another name than SITE_URL, a
DATABASE_URL that contradicts POSTGRES_PASSWORD, SECRET_KEY among its own fallbacks, more processes than
DATABASE_MAX_CONNECTIONS, a GUNICORN_GRACEFUL_TIMEOUT that is not below the 30 seconds after which Compose
kills a container and below GUNICORN_TIMEOUT.

## Variables

*Read by* says who needs it: `compose` and `make` read the variable before Django starts.
"""


def page() -> str:
    """This will return docs/configuration.md."""
    parts = [_INTRODUCTION]
    for group in dict.fromkeys(row.group for row in VARIABLES):
        parts.append(f"\n### {group}\n")
        parts.append("| variable | type | default | read by | |\n| --- | --- | --- | --- | --- |")
        parts += [_row(row) for row in VARIABLES if row.group == group]
    return "\n".join(parts) + "\n"


def _row(row: Variable) -> str:
    name = f"`{row.name}`" + (" (secret)" if row.secret else "")
    cells = [name, _type(row), _default(row), row.reader, row.doc]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _type(row: Variable) -> str:
    if row.choices:
        return ", ".join(f"`{choice}`" for choice in row.choices)
    if row.minimum is not None:
        return f"{row.kind} {row.minimum}–{row.maximum}"
    return _KINDS.get(row.kind, row.kind.replace("_", " "))


_KINDS = {
    "hosts": "list of host names",
    "origins": "list of origins",
    "site": "origin",
    "database": "URL",
    "email": "URL",
    "dsn": "URL",
    "password": "text",
    "secret_key": "text",
    "secret_list": "list of texts",
    "fraction": "number 0–1",
}


def _default(row: Variable) -> str:
    each = {env: _cell(row, env) for env in ENVIRONMENTS}
    if len(set(each.values())) == 1:
        return each["prod"]
    grouped: dict[str, list[str]] = {}
    for env, text in each.items():
        grouped.setdefault(text, []).append(env)
    return "; ".join(f"{', '.join(envs)}: {text}" for text, envs in grouped.items())


def _cell(row: Variable, env: str) -> str:
    default = row.default_in(env)
    if isinstance(default, Derived):
        return default.text + (", or **required**" if env in row.required_in else "")
    if default is not None:
        return "a throw-away key" if row.kind == "secret_key" else f"`{default}`"
    return "**required**" if env in row.required_in else "none"
