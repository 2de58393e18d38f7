-- Takes a thread's checkpoints away at once, whatever their number; freed in the background. KEYS[8], of one removal
-- only, keeps them for a while, for its client to read which runs they were of.
local GRAVE_MS = 3600000

local function bury()
  redis.call('UNLINK', KEYS[2], KEYS[3])
  if redis.call('EXISTS', KEYS[1]) == 0 then return end -- Again, after a reply that was lost.
  redis.call('UNLINK', KEYS[8])
  redis.call('RENAME', KEYS[1], KEYS[8])
  redis.call('PEXPIRE', KEYS[8], GRAVE_MS)
end
