-- What is built beside a thread, in KEYS 5 to 7, has one owner, and takes the thread's place at the end. Where the owner
-- stands is stored with it: a failover to a replica that lags takes both back to the same moment.
local BUSY, MORE, FINISHED = 0, 1, 2
local GIVEN_UP_MS = 60000 -- after which another may begin, when the owner has gone
local DONE_MARK = '\254'

local function owner() return redis.call('HGET', KEYS[6], 'T') end

local function begin(token)
  redis.call('UNLINK', KEYS[5], KEYS[6], KEYS[7])
  redis.call('HSET', KEYS[6], 'T', token)
end

-- Also after a reply that was lost.
local function was_finished(token) return redis.call('ZSCORE', KEYS[8], DONE_MARK .. token) end

local function take_place(token)
  bury()
  redis.call('ZADD', KEYS[8], 0, DONE_MARK .. token)
  redis.call('PEXPIRE', KEYS[8], GRAVE_MS)
  redis.call('HDEL', KEYS[6], 'T', 'C', 'R', 'N')
  -- Not the same thread any more: a copy of it that is under way must begin anew.
  if redis.call('EXISTS', KEYS[5]) == 1 then redis.call('HSET', KEYS[6], 'E', token) end
  for i = 1, 3 do
    if redis.call('EXISTS', KEYS[4 + i]) == 1 then
      redis.call('RENAME', KEYS[4 + i], KEYS[i])
      redis.call('PERSIST', KEYS[i])
    end
  end
end
