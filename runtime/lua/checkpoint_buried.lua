-- Runs whose checkpoints were taken away and that have none left here. ARGV: where to begin, runs at most.
-- Returns {where to go on or '' at the end, run, …}.
local members = redis.call('ZRANGEBYLEX', KEYS[8], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
local reply = {#members == tonumber(ARGV[2]) and '(' .. members[#members] or ''}
for _, member in ipairs(members) do
  if not redis.call('ZSCORE', KEYS[1], member) then reply[#reply + 1] = string.sub(member, 2) end
end
return reply
