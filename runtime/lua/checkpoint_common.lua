-- Shared by the checkpoint scripts (docs/explanation/checkpoints.md). KEYS are always the same, those of one thread:
-- 1 to 3 checkpoints, blobs and writes, 4 the fence of its runs, 5 to 7 the first three as a compaction builds them,
-- 8 checkpoints that one removal has taken away.
local MANY = 4000 -- arguments of one call: Lua's unpack() stops at about 8000

local function get_many(key, fields)
  local values = {}
  for i = 1, #fields, MANY do
    local part = redis.call('HMGET', key, unpack(fields, i, math.min(i + MANY - 1, #fields)))
    for j = 1, #part do values[#values + 1] = part[j] end
  end
  return values
end

local function set_many(key, flat, from)
  for i = from, #flat, MANY do
    redis.call('HSET', key, unpack(flat, i, math.min(i + MANY - 1, #flat)))
  end
end

-- All members that start with `prefix` and a zero byte: the records or writes of one checkpoint.
local function under(key, prefix)
  return redis.call('ZRANGEBYLEX', key, '[' .. prefix .. '\0', '(' .. prefix .. '\1')
end

local function remove_under(key, prefix)
  redis.call('ZREMRANGEBYLEX', key, '[' .. prefix .. '\0', '(' .. prefix .. '\1')
end

-- The record of checkpoint `id` of namespace `ns`, or of its newest one for ''.
local function find_record(key, ns, id)
  if id ~= '' then return under(key, ns .. '\0' .. id)[1] end
  return redis.call('ZREVRANGEBYLEX', key, '(' .. ns .. '\1', '[' .. ns .. '\0', 'LIMIT', 0, 1)[1]
end

-- ns \0 id \0 u16 parent u32 header body. Returns {member, prefix, ns, id, parent, flags, channels, rest}.
local function read_record(member)
  local ns_end = string.find(member, '\0', 1, true)
  local id_end = string.find(member, '\0', ns_end + 1, true)
  local parent_size = struct.unpack('>I2', member, id_end + 1)
  local at = id_end + 3 + parent_size
  local header_size = struct.unpack('>I4', member, at)
  local header = cmsgpack.unpack(string.sub(member, at + 4, at + 3 + header_size))
  return {
    member = member,
    prefix = string.sub(member, 1, id_end - 1),
    ns = string.sub(member, 1, ns_end - 1),
    id = string.sub(member, ns_end + 1, id_end - 1),
    parent = string.sub(member, id_end + 3, at - 1),
    flags = header[1],
    channels = header[2], -- name, version, place, name, …
    rest = at, -- where header and body begin
  }
end

local STORED, INLINE = 0, 1 -- places of a channel's value; any other number: it has none

local function value_field(record, i)
  return 'v' .. record.ns .. '\0' .. record.channels[i] .. '\0' .. record.channels[i + 1]
end

local function each_stored(record, visit)
  for i = 1, #record.channels, 3 do
    if record.channels[i + 2] == STORED then visit(value_field(record, i)) end
  end
end

-- A set that remembers the order of arrival.
local function new_set() return {has = {}, list = {}} end

local function add(set, item)
  if not set.has[item] then
    set.has[item] = true
    set.list[#set.list + 1] = item
  end
end

local NAME = 17 -- bytes of a block's name

-- Adds the names of the blocks that `data` refers to: at `at`, u32 count and the names.
local function add_refs(set, data, at)
  local count, first = struct.unpack('>I4', data, at)
  for i = 0, count - 1 do add(set, string.sub(data, first + i * NAME, first + i * NAME + NAME - 1)) end
end

local function add_write_refs(set, prefix, write)
  add_refs(set, write, #prefix + 6) -- prefix \0 u32 sequence
end

-- Groups (g…) hold the names of other blocks: adds those.
local function add_grouped(blobs, blocks)
  local groups = {}
  for _, name in ipairs(blocks.list) do
    if string.sub(name, 1, 1) == 'g' then groups[#groups + 1] = name end
  end
  for _, names in ipairs(get_many(blobs, groups)) do
    if names then add_refs(blocks, names, 1) end
  end
end

-- What stands in fields, in their order, or nil when one is gone: then the state cannot be rebuilt.
local function all_of(blobs, set)
  local values = get_many(blobs, set.list)
  for i = 1, #set.list do
    if not values[i] then return nil end
  end
  return values
end

local function load_blocks(blobs, blocks)
  add_grouped(blobs, blocks)
  return all_of(blobs, blocks)
end

local LOST = 0 -- what a reading script returns instead of its table

-- Adds the blocks that the stored values refer to, and returns the values; nil when one is gone.
local function load_values(blobs, fields, blocks)
  local values = all_of(blobs, fields)
  if not values then return nil end
  for i = 1, #values do add_refs(blocks, values[i], 1) end
  return values
end

local function is_stale(fence_key, fence)
  return fence ~= '' and tonumber(redis.call('GET', fence_key) or '0') > tonumber(fence)
end

-- Puts off the expiry of the thread's three keys together, unless it is pinned.
local function touch(ttl_ms)
  if ttl_ms == '0' or redis.call('HEXISTS', KEYS[2], 'P') == 1 then return end
  for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ttl_ms) end
end
