-- Those of the runs that have checkpoints here. ARGV: runs.
local held = {}
for _, run in ipairs(ARGV) do
  if redis.call('ZSCORE', KEYS[1], '\255' .. run) then held[#held + 1] = run end
end
return held
