-- Removes the checkpoints of a run, their writes, and the values and blocks that nothing else needs.
local checkpoints, log, run = KEYS[1], KEYS[3], ARGV[2]
local steps = {writes = carry_early_writes}

-- The nearest ancestor that stays: what later runs' delta channels are rebuilt from must not end here. '' for none.
local function kept_ancestor(record)
  local parent = record.parent
  while parent ~= '' do
    local member = find_record(checkpoints, record.ns, parent)
    spend(3)
    if not member then return '' end
    local above = read_record(member)
    if above.flags.r ~= run then return parent end
    parent = above.parent
  end
  return ''
end

function steps.records(from)
  while budget > 0 do
    local member = redis.call('ZRANGEBYLEX', checkpoints, from, '(\255', 'LIMIT', 0, 1)[1]
    if not member then return {'writes', '-'} end
    local record = read_record(member)
    spend(4)
    if record.flags.r ~= run then
      spend(carry_record(record, kept_ancestor(record)))
      carry_writes(under(log, record.prefix))
    end
    from = '(' .. member
  end
  return {'records', from}
end

if not owner() and not redis.call('ZSCORE', checkpoints, '\255' .. run) then return FINISHED end
return advance(steps)
