-- Keeps the newest checkpoint of each namespace, the ancestors that its delta channels are rebuilt from, and writes whose
-- checkpoint is still to come. What stays is read, the keys are dropped (freed in the background) and written anew: the
-- time depends on what stays, not on what goes.
-- KEYS: checkpoints, blobs, writes. Returns the runs that no longer have a checkpoint here.
local checkpoints, blobs, log = KEYS[1], KEYS[2], KEYS[3]
local records, members, writes, has = {}, {}, {}, {}

local function keep(member, record)
  if has[record.prefix] then return end
  has[record.prefix] = true
  records[#records + 1], members[#members + 1] = record, member
end

local function keep_writes(found)
  for i = 1, #found do writes[#writes + 1] = found[i] end
end

-- A subgraph's call is over once the root has gone past the checkpoint it ran from: nothing resumes it any more.
local function is_over(record, root)
  local from = record.flags.p
  return string.find(record.ns, ':', 1, true) and root and from and from ~= root.id
    and find_record(checkpoints, '', from) ~= nil
end

local function keep_ancestors(record)
  local open, count = {}, 0
  for _, channel in ipairs(record.flags.d or {}) do
    open[channel] = true
    count = count + 1
  end
  while true do
    for i = 1, #record.channels, 3 do
      if open[record.channels[i]] and record.channels[i + 2] <= INLINE then
        open[record.channels[i]] = nil
        count = count - 1
      end
    end
    if count == 0 or record.parent == '' then return end
    local member = find_record(checkpoints, record.ns, record.parent)
    if not member then return end
    record = read_record(member)
    keep(member, record)
    keep_writes(under(log, record.prefix))
  end
end

local root_member = find_record(checkpoints, '', '')
local root = root_member and read_record(root_member)
local seen = {}
for _, ns in ipairs(namespaces(checkpoints)) do
  seen[ns] = true
  local member = find_record(checkpoints, ns, '')
  local record = read_record(member)
  if not is_over(record, root) then
    keep(member, record)
    keep_writes(redis.call('ZRANGEBYLEX', log, '[' .. record.prefix .. '\0', '(' .. ns .. '\1'))
    keep_ancestors(record)
  end
end
for _, ns in ipairs(namespaces(log)) do
  if not seen[ns] then keep_writes(redis.call('ZRANGEBYLEX', log, '[' .. ns .. '\0', '(' .. ns .. '\1')) end
end

local fields, values, blocks = needed(blobs, records, writes)
local contents = get_many(blobs, blocks.list)
local pinned = redis.call('HEXISTS', blobs, 'P') == 1
local left_ms = math.max(redis.call('PTTL', checkpoints), redis.call('PTTL', log))
local live, gone = {}, {}
for _, record in ipairs(records) do
  if record.flags.r then live[record.flags.r] = true end
end
for _, run in ipairs(run_ids(checkpoints)) do
  if not live[run] then gone[#gone + 1] = run end
end

redis.call('UNLINK', checkpoints, blobs, log)
for i, record in ipairs(records) do
  local whole = record.parent == '' or has[record.ns .. '\0' .. record.parent]
  redis.call('ZADD', checkpoints, 0, whole and members[i] or without_parent(members[i], record))
end
for run in pairs(live) do redis.call('ZADD', checkpoints, 0, '\255' .. run) end
for i = 1, #writes do redis.call('ZADD', log, 0, writes[i]) end
local flat = pinned and {'P', '1'} or {}
local function restore(names, stored)
  for i = 1, #names do
    if stored[i] then flat[#flat + 1], flat[#flat + 2] = names[i], stored[i] end
  end
end
restore(fields.list, values)
restore(blocks.list, contents)
set_many(blobs, flat, 1)
if left_ms > 0 then
  for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], left_ms) end
end
return gone
