-- A compaction builds what stays of a thread beside it, step by step, and then takes its place. Until then each put and
-- write is carried over too. What is carried is whole: a record with its values, these with their blocks.
-- In the blobs that are built `T` says whose compaction it is.

local function is_compacting() return redis.call('EXISTS', KEYS[6]) == 1 end

-- Copies a field that is not there yet, and returns its data; nil if there was nothing to do.
local function carry_field(field)
  if redis.call('HEXISTS', KEYS[6], field) == 1 then return nil end
  local data = redis.call('HGET', KEYS[2], field)
  if data then redis.call('HSET', KEYS[6], field, data) end
  return data
end

-- Returns how many there were.
local function carry_blocks(data, at)
  local blocks = new_set()
  add_refs(blocks, data, at)
  add_grouped(KEYS[2], blocks)
  for _, name in ipairs(blocks.list) do carry_field(name) end
  return #blocks.list
end

local function without_parent(member, record)
  return record.prefix .. '\0' .. struct.pack('>I2', 0) .. string.sub(member, record.rest)
end

-- Returns how many blocks were looked at.
local function carry_record(member, record, keeps_parent)
  local looked_at = 0
  each_stored(record, function(field)
    local data = carry_field(field)
    if data then looked_at = looked_at + carry_blocks(data, 1) end
  end)
  remove_under(KEYS[5], record.prefix)
  redis.call('ZADD', KEYS[5], 0, keeps_parent and member or without_parent(member, record))
  if record.flags.r then redis.call('ZADD', KEYS[5], 0, '\255' .. record.flags.r) end
  return looked_at
end

-- The namespace of a write, and its prefix: ns \0 id.
local function place_of(write)
  local ns_end = string.find(write, '\0', 1, true)
  return string.sub(write, 1, ns_end - 1), string.sub(write, 1, string.find(write, '\0', ns_end + 1, true) - 1)
end

-- Returns how many blocks were looked at.
local function carry_write(write)
  local _, prefix = place_of(write)
  redis.call('ZADD', KEYS[7], 0, write)
  return carry_blocks(write, #prefix + 6)
end

-- What is built expires as a whole, when nobody goes on with it.
local function expire_built(ms)
  for i = 5, 7 do redis.call('PEXPIRE', KEYS[i], ms) end
end
