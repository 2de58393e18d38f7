-- ARGV from 9: interrupt or rollback, error code, error message, the event that ends it.
-- Returns missing, ended (it was over), settled (it never ran) or signalled.
local status = redis.call('HGET', at.run, 'status')
local rollback = ARGV[9] == 'rollback'
if not status then
  return 'missing'
end
if status == 'running' then
  if redis.call('HGET', at.run, 'cancel') ~= 'rollback' then
    redis.call('HSET', at.run, 'cancel', ARGV[9])
  end
  redis.call('PUBLISH', at.cancel_channel, redis.call('HGET', at.run, 'cancel') .. ' ' .. at.run_id)
  return 'signalled'
end
if status ~= 'pending' then
  return 'ended'
end
local seq = log_events(rest(12))
end_run(at.run_id, 'interrupted', ARGV[10], ARGV[11])
if active_run() == at.run_id then
  -- A worker may be about to claim it: a raised fence and the new status both refuse it.
  redis.call('INCR', at.fence)
  redis.call('HSET', at.thread, 'updated', at.now, 'ended', at.now)
  go_on(nil, seq)
else
  redis.call('LREM', at.pending, 0, at.run_id)
end
if rollback then
  forget_run(at.run_id)
end
return 'settled'
