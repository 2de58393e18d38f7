-- Writes and seeds of channels along the ancestors of a checkpoint.
-- ARGV: namespace, id or '' for the newest, steps at most, '1' to begin with the checkpoint itself, channels.
-- Each channel ends at the nearest ancestor that has a value for it: its seed.
-- Returns {steps of {record, writes, open channels}, seeds of {channel, place, record or value}, block names, blocks,
-- id to go on with or ''}.
local ns = ARGV[1]
local open, open_count = {}, 0
for i = 5, #ARGV do
  open[ARGV[i]] = true
  open_count = open_count + 1
end

local member = find_record(KEYS[1], ns, ARGV[2])
if member and ARGV[4] ~= '1' then
  local parent = read_record(member).parent
  member = parent ~= '' and find_record(KEYS[1], ns, parent)
end

local steps, seeds, blocks, lost = {}, {}, new_set(), false

local function take_seeds(record)
  for i = 1, #record.channels, 3 do
    local channel, place = record.channels[i], record.channels[i + 2]
    if open[channel] and (place == STORED or place == INLINE) then
      local seed = member
      if place == STORED then
        seed = redis.call('HGET', KEYS[2], value_field(record, i))
        if not seed then lost = true return end
        add_refs(blocks, seed, 1)
      end
      seeds[#seeds + 1] = {channel, place, seed}
      open[channel] = nil
      open_count = open_count - 1
    end
  end
end

while member and open_count > 0 and #steps < tonumber(ARGV[3]) do
  local record, names = read_record(member), {}
  local writes = under(KEYS[3], record.prefix)
  for i = 1, #writes do add_write_refs(blocks, record.prefix, writes[i]) end
  for channel in pairs(open) do names[#names + 1] = channel end
  steps[#steps + 1] = {member, writes, names}
  take_seeds(record)
  member = record.parent ~= '' and find_record(KEYS[1], ns, record.parent)
end

local stored = load_blocks(KEYS[2], blocks)
if lost or not stored then return LOST end
local following = ''
if member and open_count > 0 then following = read_record(member).id end
return {steps, seeds, blocks.list, stored, following}
