-- Included before other scripts.
local function publish(channel, first, events)
  -- Sharded channels (Redis 7) stay on the thread's node in a cluster; the variable came with them.
  redis.call(redis.REDIS_VERSION_NUM and 'SPUBLISH' or 'PUBLISH', channel, cmsgpack.pack({first, events}))
end

-- Appends events (flat: method, namespace, name, body) to a thread's log and publishes them. The entry id is n-0,
-- where n is the protocol's seq. At least the last `kept` events stay, and all of a run in flight.
local function append_events(thread, stream, channel, kept, events)
  local count = #events / 4
  if count == 0 then
    return tonumber(redis.call('HGET', thread, 'seq') or '0')
  end
  local last = redis.call('HINCRBY', thread, 'seq', count)
  local first = last - count + 1
  for i = 0, count - 1 do
    redis.call('XADD', stream, string.format('%.0f-0', first + i),
      'm', events[4 * i + 1], 'n', events[4 * i + 2], 'c', events[4 * i + 3], 'b', events[4 * i + 4])
  end
  local spare = last - tonumber(kept)
  if spare > 0 then
    local run = redis.call('HMGET', thread, 'active', 'run_seq')
    if run[1] and run[1] ~= '' then
      spare = math.min(spare, tonumber(run[2]))
    end
    redis.call('XTRIM', stream, 'MINID', '~', string.format('%.0f-0', spare + 1))
  end
  publish(channel, first, events)
  return last
end

local function rest(from)
  local values = {}
  for i = from, #ARGV do
    values[#values + 1] = ARGV[i]
  end
  return values
end
