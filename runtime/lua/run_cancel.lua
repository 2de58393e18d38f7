-- KEYS: fence, thread, run, pending, stream.
-- ARGV: run id, now, cancel channel, its message, error code, error message, channel, kept, events.
-- Returns {outcome, active run}; outcome is missing, ended (it was over), settled (it never ran) or signalled.
local status = redis.call('HGET', KEYS[3], 'status')
if not status then
  return {'missing', ''}
end
if status == 'running' then
  redis.call('HSET', KEYS[3], 'cancel', 1)
  redis.call('PUBLISH', ARGV[3], ARGV[4])
  return {'signalled', ARGV[1]}
end
if status ~= 'pending' then
  return {'ended', ''}
end
local active = redis.call('HGET', KEYS[2], 'active')
if active ~= ARGV[1] then
  redis.call('LREM', KEYS[4], 0, ARGV[1])
  redis.call('HSET', KEYS[3], 'status', 'interrupted', 'ended', ARGV[2], 'error', ARGV[5], 'error_message', ARGV[6])
  append_events(KEYS[2], KEYS[5], ARGV[7], ARGV[8], rest(9))
  return {'settled', active or ''}
end
-- A worker may be about to claim it: a raised fence and the new status both refuse it.
redis.call('INCR', KEYS[1])
return {'settled', settle_run(KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[2], 'interrupted', 'idle', ARGV[5], ARGV[6],
  ARGV[7], ARGV[8], rest(9))}
