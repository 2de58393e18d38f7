-- Removes the checkpoints of a run, their writes, and the values and blocks that nothing else needs.
local checkpoints, log, run = KEYS[1], KEYS[3], ARGV[2]
local steps = {}

local function is_kept(ns, id)
  local member = find_record(checkpoints, ns, id)
  return member and read_record(member).flags.r ~= run
end

function steps.records(from)
  while budget > 0 do
    local member = redis.call('ZRANGEBYLEX', checkpoints, from, '(\255', 'LIMIT', 0, 1)[1]
    if not member then return {'writes', '-'} end
    local record = read_record(member)
    spend(5)
    if record.flags.r ~= run then
      spend(carry_record(member, record, record.parent == '' or is_kept(record.ns, record.parent)))
      carry_writes(under(log, record.prefix))
    end
    from = '(' .. member
  end
  return {'records', from}
end

function steps.writes(from)
  return carry_unowned(from, function(_, prefix) return under(checkpoints, prefix)[1] and prefix end)
end

if #ARGV == 2 and not redis.call('ZSCORE', checkpoints, '\255' .. run) then return {} end
return advance(steps)
