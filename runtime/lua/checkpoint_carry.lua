-- A compaction builds what stays of a thread beside it, step by step, and then takes its place. Until then each put and
-- write is carried over too. What is carried is whole: a record with its values, these with their blocks.
-- In the blobs that are built: `T` the owner's token, `C` where a compaction goes on, `R` the run it forgets ('': none).

-- Ends what is being built of a thread that has expired, or what is written next would bring it back.
local function end_if_gone()
  if redis.call('EXISTS', KEYS[1], KEYS[2], KEYS[3]) > 0 then return false end
  redis.call('UNLINK', KEYS[5], KEYS[6], KEYS[7])
  return true
end

-- A copy that is built beside its target takes nothing over: it replaces what the target holds at the end.
local function is_compacting()
  return redis.call('HEXISTS', KEYS[6], 'C') == 1 and not end_if_gone()
end

-- Copies the fields that are not there yet. Returns their data, false for those that were.
local function carry_fields(fields)
  local missing, flat = {}, {}
  for _, field in ipairs(fields) do
    if redis.call('HEXISTS', KEYS[6], field) == 0 then missing[#missing + 1] = field end
  end
  local data = get_many(KEYS[2], missing)
  for i, field in ipairs(missing) do
    if data[i] then flat[#flat + 1], flat[#flat + 2] = field, data[i] end
  end
  set_many(KEYS[6], flat, 1)
  return data
end

-- Returns how many blocks were looked at.
local function carry_blocks(blocks)
  add_grouped(KEYS[2], blocks)
  carry_fields(blocks.list)
  return #blocks.list
end

-- With another parent, '' for none. Returns how many blocks were looked at.
local function carry_record(record, parent)
  local fields, blocks = {}, new_set()
  each_stored(record, function(field) fields[#fields + 1] = field end)
  for _, data in ipairs(carry_fields(fields)) do
    if data then add_refs(blocks, data, 1) end
  end
  remove_under(KEYS[5], record.prefix)
  local member = record.prefix .. '\0' .. struct.pack('>I2', #parent) .. parent .. string.sub(record.member, record.rest)
  redis.call('ZADD', KEYS[5], 0, member)
  if record.flags.r then redis.call('ZADD', KEYS[5], 0, '\255' .. record.flags.r) end
  return carry_blocks(blocks)
end

-- The namespace of a write, and its prefix: ns \0 id.
local function place_of(write)
  local ns_end = string.find(write, '\0', 1, true)
  return string.sub(write, 1, ns_end - 1), string.sub(write, 1, string.find(write, '\0', ns_end + 1, true) - 1)
end

-- Returns how many blocks were looked at.
local function carry_write(write)
  local _, prefix = place_of(write)
  local blocks = new_set()
  add_write_refs(blocks, prefix, write)
  redis.call('ZADD', KEYS[7], 0, write)
  return carry_blocks(blocks)
end

-- What is built expires as a whole, when nobody goes on with it.
local function expire_built(ms)
  for i = 5, 7 do redis.call('PEXPIRE', KEYS[i], ms) end
end
