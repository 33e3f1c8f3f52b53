-- The data of a run, below a migrated schema. Parameters: {users}, {tasks}.
-- A task's number n gives everything about it: its owner is n % users, so that one person's rows lie apart in the
-- table, as they do after years of use.

CREATE SCHEMA bench;

-- Tables may get columns that this file does not know: they take an empty value.
DO $$
DECLARE c record;
BEGIN
  FOR c IN
    SELECT table_name, column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name ~ '^(accounts|todos)_' AND is_nullable = 'NO'
      AND column_default IS NULL AND is_identity = 'NO' AND data_type <> 'uuid'
  LOOP
    EXECUTE format('ALTER TABLE %I ALTER %I SET DEFAULT %s', c.table_name, c.column_name,
      CASE WHEN c.data_type = 'boolean' THEN 'false' WHEN c.data_type = 'jsonb' THEN '''[]'''
           WHEN c.data_type ~ 'int' THEN '0' WHEN c.data_type ~ '^timestamp' THEN 'now()' ELSE '''''' END);
  END LOOP;
END $$;

CREATE FUNCTION bench.uuid7(moment timestamptz, n bigint) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
          || '8' || substr(md5(n::text), 4, 15))::uuid
$$;

-- the time of the n-th row; its microseconds are never 0, so that every encoder writes six digits
CREATE FUNCTION bench.moment(n bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT timestamptz '2025-01-01 00:00:00.000007+00' + n * interval '97.001010 seconds'
$$;

-- the n-th (from 1) position of a list, as db/positions.py counts
CREATE FUNCTION bench.position(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT 'k' || string_agg(substr('0123456789abcdefghijklmnopqrstuvwxyz', ((n + (n - 1) / 35) / p % 36)::int + 1, 1), ''
                           ORDER BY p DESC)
  FROM (VALUES (1296), (36), (1)) AS power(p)
$$;

CREATE FUNCTION bench.token_digest(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT encode(sha256(convert_to(
    'todo_' || rtrim(translate(encode(sha256(convert_to('bench ' || name, 'UTF8')), 'base64'), '+/', '-_'), '='),
    'UTF8')), 'hex')
$$;

INSERT INTO accounts_user (id, version, created_at, updated_at, password, email, name, time_zone, is_active)
SELECT bench.uuid7(bench.moment(n), n), 1, bench.moment(n), bench.moment(n), '!', 'user' || n || '@bench.example',
       'User ' || n, 'UTC', true
FROM generate_series(0, {users} - 1) AS n;

INSERT INTO accounts_apitoken (id, version, created_at, updated_at, user_id, name, digest, prefix, scopes, last_used_at,
                               expires_at, revoked_at)
SELECT bench.uuid7(bench.moment(n), n), 1, bench.moment(n), bench.moment(n), bench.uuid7(bench.moment(n), n), 'bench',
       bench.token_digest(n::text), 'todo_bench', '["read", "write"]', now(), now() + interval '1 day', NULL::timestamptz
FROM generate_series(0, {users} - 1) AS n
UNION ALL
SELECT bench.uuid7(bench.moment({users} + n), n), 1, bench.moment(n), bench.moment(n), bench.uuid7(bench.moment(0), 0),
       name, bench.token_digest(name), 'todo_bench', scopes::jsonb, now(), expires_at, revoked_at
FROM (VALUES (1, 'revoked', '["read", "write"]', now() + interval '1 day', now()),
             (2, 'expired', '["read", "write"]', now() - interval '1 day', NULL),
             (3, 'no scope', '[]', NULL, NULL)) AS useless(n, name, scopes, expires_at, revoked_at);

-- five projects (the first is the Inbox), ten sections and ten labels each
INSERT INTO todos_project (id, version, created_at, updated_at, owner_id, name, color, is_inbox, position)
SELECT bench.uuid7(bench.moment(n), n), 1, bench.moment(n), bench.moment(n), bench.uuid7(bench.moment(u), u),
       CASE p WHEN 0 THEN 'Inbox' ELSE 'Project ' || p END, '', p = 0, bench.position(p + 1)
FROM generate_series(0, {users} - 1) AS u, generate_series(0, 4) AS p, LATERAL (SELECT u * 5 + p AS n) AS number;

INSERT INTO todos_section (id, version, created_at, updated_at, owner_id, project_id, name, position)
SELECT bench.uuid7(bench.moment(n), n), 1, bench.moment(n), bench.moment(n), bench.uuid7(bench.moment(u), u),
       bench.uuid7(bench.moment(project), project), 'Section ' || s, bench.position(s + 1)
FROM generate_series(0, {users} - 1) AS u, generate_series(0, 9) AS s,
     LATERAL (SELECT u * 10 + s AS n, u * 5 + s % 5 AS project) AS number;

INSERT INTO todos_label (id, version, created_at, updated_at, owner_id, name, color)
SELECT bench.uuid7(bench.moment(n), n), 1, bench.moment(n), bench.moment(n), bench.uuid7(bench.moment(u), u),
       'label ' || l, '#3b82f' || l
FROM generate_series(0, {users} - 1) AS u, generate_series(0, 9) AS l, LATERAL (SELECT u * 10 + l AS n) AS number;

-- the usual filters, which every account begins with
INSERT INTO todos_savedfilter (id, version, created_at, updated_at, owner_id, name, query, is_pinned, position)
SELECT bench.uuid7(bench.moment(n), n), 1, bench.moment(n), bench.moment(n), bench.uuid7(bench.moment(u), u),
       'Filter ' || f, query, false, bench.position(f)
FROM generate_series(0, {users} - 1) AS u,
     unnest(ARRAY['is:open & due<=today', 'is:open & due>today & due<=today+7d', 'overdue', 'is:open & is:inbox',
                  'is:open & assignee:me', 'is:done']) WITH ORDINALITY AS usual(query, f),
     LATERAL (SELECT u * 6 + f AS n) AS number;

-- k counts the tasks of one owner. Of all: 30 % are done, 40 % have a description, half have a due date or time,
-- one in twenty repeats, one in twenty is a part of another.
INSERT INTO todos_task (id, version, created_at, updated_at, owner_id, project_id, section_id, parent_id, title,
                        description, priority, due_date, due_at, due_time_zone, start_date, recurrence_rule,
                        recurrence_mode, reminders, position, completed_at)
SELECT bench.uuid7(bench.moment(n), n), 1, bench.moment(n), bench.moment(n), bench.uuid7(bench.moment(u), u),
       bench.uuid7(bench.moment(project), project),
       CASE WHEN k % 4 = 0 THEN bench.uuid7(bench.moment(section), section) END,
       CASE WHEN k % 20 = 7 THEN bench.uuid7(bench.moment(n - 5 * {users}), n - 5 * {users}) END,
       (ARRAY['Call the plumber about the tap', 'Küche streichen', '買い物に行く', 'Book a table "for two"',
              'Renew the passport', 'Écrire à Zoé', 'Read chapter'])[k % 7 + 1] || ' · ' || n,
       CASE WHEN k % 5 < 2 THEN repeat('Some notes that somebody wrote down in a hurry. ', 1 + k % 6) ELSE '' END,
       k % 5,
       CASE WHEN k % 10 < 3 THEN date '2027-01-01' + k % 300 END,
       CASE WHEN k % 10 IN (3, 4) THEN timestamptz '2027-01-01 09:00+00' + k % 300 * interval '1 day' END,
       CASE WHEN k % 10 = 3 THEN 'Asia/Shanghai' ELSE '' END,
       CASE WHEN k % 10 = 0 THEN date '2026-12-01' END,
       CASE WHEN k % 20 = 1 THEN 'FREQ=WEEKLY;BYDAY=MO' ELSE '' END,
       CASE WHEN k % 20 = 1 THEN 'schedule' ELSE '' END,
       '[]', bench.position(k / 5 + 1),
       CASE WHEN k % 10 >= 7 THEN bench.moment(n) + interval '1 day' END
FROM generate_series(0, {tasks} - 1) AS n,
     LATERAL (SELECT n % {users} AS u, (n / {users})::int AS k) AS owner,
     LATERAL (SELECT u * 5 + k % 5 AS project, u * 10 + k % 5 + 5 * (k % 2) AS section) AS number;

-- every second task has one to three labels
INSERT INTO todos_tasklabel (task_id, label_id)
SELECT bench.uuid7(bench.moment(n), n), bench.uuid7(bench.moment(label), label)
FROM generate_series(0, {tasks} - 1) AS n,
     LATERAL (SELECT n % {users} AS u, (n / {users})::int AS k) AS owner,
     LATERAL (SELECT u * 10 + (k + 3 * l) % 10 AS label FROM generate_series(0, k % 3) AS l) AS number
WHERE k % 2 = 0;
