-- Included before other scripts. Appends events (flat: method, namespace, name, body) to a thread's log and
-- publishes them. The entry id is n-0, where n is the protocol's seq.
local function append_events(thread, stream, channel, kept, events)
  local count = #events / 4
  if count == 0 then
    return tonumber(redis.call('HGET', thread, 'seq') or '0')
  end
  local last = redis.call('HINCRBY', thread, 'seq', count)
  local first = last - count + 1
  for i = 0, count - 1 do
    redis.call('XADD', stream, 'MAXLEN', '~', kept, string.format('%.0f-0', first + i),
      'm', events[4 * i + 1], 'n', events[4 * i + 2], 'c', events[4 * i + 3], 'b', events[4 * i + 4])
  end
  redis.call('PUBLISH', channel, cmsgpack.pack({first, events}))
  return last
end

local function rest(from)
  local values = {}
  for i = from, #ARGV do
    values[#values + 1] = ARGV[i]
  end
  return values
end
