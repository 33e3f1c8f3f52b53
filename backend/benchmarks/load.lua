-- Sends prepared requests over and over and counts the answers' statuses; read by wrk.
-- The file holds one request after the other: its length in bytes, a newline, the request as it goes on the wire.
-- Each thread takes every n-th, so that no request is sent by two of them.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads - 1)
end

function init(args)
  statuses, prepared, position = {}, {}, 0
  local share, index = tonumber(args[2]), 0
  local file = assert(io.open(args[1], "rb"))
  while true do
    local length = file:read("*l")
    if not length then break end
    local text = file:read(tonumber(length))
    if index % share == number then table.insert(prepared, text) end
    index = index + 1
  end
  file:close()
end

function request()
  position = position % #prepared + 1
  return prepared[position]
end

function response(status)
  local name = tostring(status)
  statuses[name] = (statuses[name] or 0) + 1
end

function done(summary, latency)
  local counts, parts = {}, {}
  for _, thread in ipairs(threads) do
    for name, count in pairs(thread:get("statuses")) do counts[name] = (counts[name] or 0) + count end
  end
  for name, count in pairs(counts) do table.insert(parts, string.format('"%s": %d', name, count)) end
  local errors = summary.errors
  print(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "socket_errors": %d, "p50": %d, "p99": %d, "statuses": {%s}}',
    summary.requests, summary.duration, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), table.concat(parts, ", ")))
end
