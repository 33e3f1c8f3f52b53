"""One statement for each endpoint. It authenticates the caller, does the work, and returns the JSON text as bytes.

Every statement takes the token's digest as `digest` and returns one row: whether the caller is known, whether the
token has the scope, the answer (NULL when there is nothing of that id), and the task's version.
"""

from __future__ import annotations

from string import Template

_CALLER = """caller AS MATERIALIZED (
  SELECT u.id, k.scopes ? '$scope' AS allowed
  FROM accounts_apitoken k JOIN accounts_user u ON u.id = k.user_id
  WHERE k.digest = %(digest)s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
    AND u.is_active
)"""

_SHAPE = """t.id, t.project_id, t.section_id, t.parent_id, t.title, t.description, t.priority,
  $labels AS labels, $assignees AS assignees,
  bench.moment_json(t.due_date, t.due_at, t.due_time_zone) AS due,
  bench.moment_json(t.start_date, t.start_at, t.start_time_zone) AS start,
  bench.moment_json(t.deadline_date, t.deadline_at, t.deadline_time_zone) AS deadline,
  CASE WHEN t.recurrence_rule <> '' THEN ('{"rule":' || to_json(t.recurrence_rule) || ',"mode":'
    || to_json(t.recurrence_mode) || '}')::json END AS recurrence,
  t.reminders, t.position, bench.instant(t.completed_at) AS completed_at, t.comment_count, t.next_task_id,
  nullif(t.uid, '') AS uid, bench.instant(t.created_at) AS created_at, bench.instant(t.updated_at) AS updated_at,
  bench.instant(t.deleted_at) AS deleted_at"""
_KEPT_LABELS = """ARRAY(
    SELECT m.label_id FROM todos_tasklabel m JOIN todos_label l ON l.id = m.label_id
    WHERE m.task_id = t.id AND l.deleted_at IS NULL ORDER BY m.label_id)"""

_KEPT_ASSIGNEES = "ARRAY(SELECT a.user_id FROM todos_taskassignee a WHERE a.task_id = t.id ORDER BY a.user_id)"

_PROVEN = "(SELECT allowed FROM caller) IS NOT NULL, (SELECT allowed FROM caller)"


def _made(text: str, *, scope: str, labels: str = _KEPT_LABELS, assignees: str = _KEPT_ASSIGNEES) -> str:
    shape = _SHAPE.replace("$labels", labels).replace("$assignees", assignees)
    parts = {"proven": _PROVEN, "shape": shape}
    parts["caller"] = _CALLER.replace("$scope", scope)
    return Template(text).substitute(parts)


_MINE = "t.owner_id = (SELECT id FROM caller WHERE allowed) AND t.deleted_at IS NULL"
_PAGE = """WITH $caller, page AS MATERIALIZED ($page),
kept AS MATERIALIZED (SELECT * FROM page t ORDER BY $order LIMIT %(limit)s)
SELECT $proven, convert_to('{"results":' || coalesce((
    SELECT array_to_json(array_agg(row_to_json(shaped)))::text
    FROM (SELECT $shape FROM kept t ORDER BY $order) AS shaped
  ), '[]') || ',"next_cursor":' || CASE WHEN (SELECT count(*) FROM page) > %(limit)s
    THEN '"' || rtrim(translate(encode(convert_to('["' || (
        SELECT id FROM (SELECT id, row_number() OVER (ORDER BY $order) AS n FROM kept t) AS numbered
        ORDER BY n DESC LIMIT 1) || '"]',
      'UTF8'), 'base64'), '+/', '-_'), '=') || '"'
    ELSE 'null' END || '}', 'UTF8'), 0"""


def _listed(page: str, *, order: str) -> str:
    return _made(_PAGE.replace("$page", page).replace("$order", order), scope="read")


LIST = _listed(f"SELECT t.* FROM todos_task t WHERE {_MINE} ORDER BY t.id LIMIT %(limit)s + 1", order="t.id")

# endpoints.FILTER
FILTERED = _listed(
    f"""SELECT t.* FROM todos_task t
  WHERE {_MINE} AND t.completed_at IS NULL AND t.priority >= 2 AND (t.due_date < '2027-05-01'
    OR t.due_date IS NULL AND t.due_at < '2027-05-01T00:00Z') ORDER BY t.id LIMIT %(limit)s + 1""",
    order="t.id",
)

# by due: ranges of the index of days, of times and of tasks without, as this backend reads them
_RANGE = f"""(SELECT t.* FROM todos_task t WHERE {_MINE} AND $kind
  ORDER BY t.due_date, t.due_at, t.id LIMIT %(limit)s + 1)"""
_DUE = "coalesce(t.due_at, (t.due_date + 1)::timestamp AT TIME ZONE 'UTC'), t.due_at IS NOT NULL, t.id"
SORTED = _listed(
    "SELECT * FROM ("
    + " UNION ALL ".join(
        _RANGE.replace("$kind", kind)
        for kind in (
            "t.due_date IS NOT NULL",
            "t.due_date IS NULL AND t.due_at IS NOT NULL",
            "t.due_date IS NULL AND t.due_at IS NULL",
        )
    )
    + f") AS t ORDER BY {_DUE} LIMIT %(limit)s + 1",
    order=_DUE,
)

# endpoints.WORD, which is in titles only
SEARCH = _made(
    f"""WITH $caller, found AS MATERIALIZED (
  SELECT t.*, CASE WHEN t.completed_at IS NULL THEN 10.5 ELSE 10.0 END AS rank
  FROM todos_task t WHERE {_MINE} AND t.title ILIKE %(pattern)s
  ORDER BY rank DESC, t.id DESC LIMIT %(limit)s
)
SELECT $proven, convert_to('{{"results":' || coalesce((
    SELECT array_to_json(array_agg(row_to_json(result)))::text FROM (
      SELECT 'task' AS kind, t.id, (SELECT row_to_json(shaped) FROM (SELECT $shape) AS shaped) AS data,
        json_build_object('field', 'title', 'text', t.title, 'marks', json_build_array(json_build_array(
          position(%(word)s IN lower(t.title)) - 1, position(%(word)s IN lower(t.title)) - 1 + length(%(word)s)
        ))) AS snippet, t.rank
      FROM found t ORDER BY t.rank DESC, t.id DESC) AS result
  ), '[]') || ',"next_cursor":null}}', 'UTF8'), 0""",
    scope="read",
)

_COUNTS = """count(o.id) AS open, count(o.id) FILTER (WHERE o.due_today) AS due_today,
    count(o.id) FILTER (WHERE o.overdue) AS overdue"""
_COUNTED = f"""(SELECT coalesce(array_to_json(array_agg(row_to_json(counted))), '[]') FROM (
      SELECT $of AS id, {_COUNTS}$more FROM $rows GROUP BY $of, $order ORDER BY $order, $of) AS counted)"""


def _counted(of: str, rows: str, *, order: str | None = None, more: str = "") -> str:
    return Template(_COUNTED).substitute(of=of, rows=rows, order=order or of, more=more)


# those of data.sql, as conditions on an open task `o`, in the time zone of all users, UTC
_FILTERS = {
    "is:open & due<=today": "o.due_date <= day OR o.due_date IS NULL AND o.due_at < bench.midnight(day + 1)",
    "is:open & due>today & due<=today+7d": "o.due_date > day AND o.due_date <= day + 7 OR o.due_date IS NULL "
    "AND o.due_at >= bench.midnight(day + 1) AND o.due_at < bench.midnight(day + 8)",
    "overdue": "o.overdue",
    "is:open & is:inbox": "EXISTS (SELECT FROM todos_project p WHERE p.id = o.project_id AND p.is_inbox)",
    "is:open & assignee:me": "EXISTS ("
    "SELECT FROM todos_taskassignee a WHERE a.task_id = o.id AND a.user_id = c.id)",
    "is:done": "false",
}
_MATCHES = " ".join(f"WHEN '{text}' THEN {condition}" for text, condition in _FILTERS.items())
_SAVED = f"""caller c JOIN todos_savedfilter f ON f.owner_id = c.id AND c.allowed AND f.deleted_at IS NULL
      CROSS JOIN today LEFT JOIN opened o ON CASE f.query {_MATCHES} END"""
_LABELLED = """opened o JOIN todos_tasklabel m ON m.task_id = o.id
      JOIN todos_label l ON l.id = m.label_id AND l.deleted_at IS NULL"""

OVERVIEW = _made(
    f"""WITH $caller, today AS (SELECT (now() AT TIME ZONE 'UTC')::date AS day), opened AS MATERIALIZED (
  SELECT t.id, t.project_id, t.due_date, t.due_at,
    t.due_date = day OR t.due_date IS NULL AND t.due_at >= bench.midnight(day)
      AND t.due_at < bench.midnight(day + 1) AS due_today,
    t.due_date < day OR t.due_date IS NULL AND t.due_at < now() AS overdue
  FROM todos_task t, today WHERE {_MINE} AND t.completed_at IS NULL
)
SELECT $proven, convert_to((SELECT row_to_json(overview)::text FROM (
    SELECT {_COUNTS},
      {_counted("o.project_id", "opened o")} AS projects,
      {_counted("l.id", _LABELLED)} AS labels,
      {_counted("f.id", _SAVED, order="f.position", more=", NULL AS error")} AS filters
    FROM opened o) AS overview), 'UTF8'), 0""",
    scope="read",
)

# `held` is the version that the client holds already: its JSON is not made.
ONE = _made(
    """WITH $caller, task AS (
  SELECT t.* FROM todos_task t
  WHERE t.id = %(id)s AND t.owner_id = (SELECT id FROM caller WHERE allowed) AND t.deleted_at IS NULL
)
SELECT $proven, (SELECT CASE WHEN t.version = %(held)s THEN '' ELSE convert_to((
    SELECT row_to_json(shaped)::text FROM (SELECT $shape) AS shaped), 'UTF8') END FROM task t),
  (SELECT version FROM task)""",
    scope="read",
)

CREATE = _made(
    """WITH $caller, inbox AS (
  SELECT id FROM todos_project WHERE owner_id = (SELECT id FROM caller WHERE allowed) AND is_inbox
), wanted AS MATERIALIZED (
  SELECT id FROM todos_label
  WHERE id = ANY(%(labels)s::uuid[]) AND owner_id = (SELECT id FROM caller WHERE allowed) AND deleted_at IS NULL
), made AS (
  INSERT INTO todos_task AS t (id, version, created_at, updated_at, owner_id, project_id, title, description,
    priority, due_date, reminders, position)
  SELECT %(id)s, 1, %(now)s, %(now)s, caller.id, inbox.id, %(title)s::text, %(description)s::text,
    %(priority)s::smallint, %(due)s::date,
    '[]', bench.position_after((
      SELECT max(position) FROM todos_task o WHERE o.project_id = inbox.id AND o.section_id IS NULL))
  FROM caller, inbox WHERE (SELECT count(*) FROM wanted) = cardinality(%(labels)s::uuid[])
  RETURNING t.*
), marked AS (
  INSERT INTO todos_tasklabel (task_id, label_id) SELECT made.id, wanted.id FROM made, wanted
)
SELECT $proven, (SELECT convert_to((SELECT row_to_json(shaped)::text FROM (SELECT $shape) AS shaped), 'UTF8')
  FROM made t), 1""",
    scope="write",
    labels="ARRAY(SELECT id FROM wanted ORDER BY id)",
    assignees="'{}'::uuid[]",
)

# A task that is done already stays as it is; one that repeats is not this statement's business.
COMPLETE = _made(
    """WITH $caller, done AS (
  UPDATE todos_task t SET completed_at = %(now)s, updated_at = %(now)s, version = version + 1
  WHERE t.id = %(id)s AND t.owner_id = (SELECT id FROM caller WHERE allowed) AND t.deleted_at IS NULL
    AND t.completed_at IS NULL AND t.recurrence_rule = ''
  RETURNING t.*
), task AS (
  SELECT * FROM done UNION ALL
  SELECT t.* FROM todos_task t
  WHERE t.id = %(id)s AND t.owner_id = (SELECT id FROM caller WHERE allowed) AND t.deleted_at IS NULL
    AND NOT EXISTS (SELECT FROM done)
)
SELECT $proven, (SELECT convert_to((SELECT row_to_json(shaped)::text FROM (SELECT $shape) AS shaped), 'UTF8')
  FROM task t), (SELECT version FROM task)""",
    scope="write",
)
