-- What the ceiling's statements call; made once, after the data.

CREATE OR REPLACE FUNCTION bench.instant(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(moment AT TIME ZONE 'UTC', CASE WHEN extract(microseconds FROM moment)::int % 1000000 = 0
    THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"' ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' END)
$$;
CREATE OR REPLACE FUNCTION bench.moment_json(on_date date, at timestamptz, zone text) RETURNS json
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN on_date IS NOT NULL THEN ('{"date":"' || on_date || '"}')::json
    WHEN at IS NOT NULL THEN ('{"at":"' || bench.instant(at) || '","time_zone":'
                              || coalesce(to_json(nullif(zone, ''))::text, 'null') || '}')::json
  END
$$;
-- when a day begins in UTC
CREATE OR REPLACE FUNCTION bench.midnight(day date) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT day::timestamp AT TIME ZONE 'UTC'
$$;
-- the position after this one, as db/positions.py counts
CREATE OR REPLACE FUNCTION bench.position_after(last text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN last IS NULL THEN 'i1'
    WHEN kept = '' THEN chr(ascii(head) + 1) || lpad('1', width + 1, '0')
    ELSE head || left(kept, -1)
      || translate(right(kept, 1), '0123456789abcdefghijklmnopqrstuvwxy', '123456789abcdefghijklmnopqrstuvwxyz')
      || CASE WHEN length(kept) < width THEN lpad('1', width - length(kept), '0') ELSE '' END
  END
  FROM (SELECT left(last, 1) AS head, length(last) - 1 AS width, rtrim(substr(last, 2), 'z') AS kept) AS parts
$$;
