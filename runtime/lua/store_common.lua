-- Shared by the store's scripts. KEYS: index, items, deadlines of one root label.
-- index: sorted set by bytes of `labels \0\0 key` (labels separated by \0). items: hash from that to a record: created
-- and updated in µs, ttl in ms (three f64), value. deadlines: sorted set by ms, only items that expire.

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- The time in µs, later than the record's last put even where the clock was set back: versions of an item differ by it.
local function next_version(record, now)
  if not record then return now end
  local _, updated = struct.unpack('>dd', record)
  return math.max(now, updated + 1)
end

local function remove(member)
  redis.call('ZREM', KEYS[1], member)
  redis.call('HDEL', KEYS[2], member)
  redis.call('ZREM', KEYS[3], member)
end

local function is_expired(member, now)
  local deadline = redis.call('ZSCORE', KEYS[3], member)
  return deadline and tonumber(deadline) * 1000 <= now
end

-- The record, or nil; an expired one is removed.
local function live_record(member, now)
  if is_expired(member, now) then
    remove(member)
    return nil
  end
  return redis.call('HGET', KEYS[2], member) or nil
end

local function set_deadline(member, ttl_ms, now)
  if ttl_ms > 0 then
    redis.call('ZADD', KEYS[3], math.floor(now / 1000) + ttl_ms, member)
  else
    redis.call('ZREM', KEYS[3], member)
  end
end

local function refresh(member, record, now)
  local _, _, ttl_ms = struct.unpack('>ddd', record)
  if ttl_ms > 0 then set_deadline(member, ttl_ms, now) end
end
