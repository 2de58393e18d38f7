-- ARGV from 9: fence, run status, thread status, error code, error message, usage, interrupts
-- asked, 1 to forget the run (rollback), events. Returns the run that is active now or '', false when the fence is
-- stale, or 'undo': it must be rolled back first.
if tonumber(ARGV[9]) < tonumber(redis.call('GET', at.fence) or '0') then
  return false
end
if redis.call('HGET', at.run, 'status') ~= 'running' then
  return active_run()
end
-- It was told to undo itself when its graph had ended by itself.
if ARGV[16] ~= '1' and redis.call('HGET', at.run, 'cancel') == 'rollback' then
  return 'undo'
end
-- First what can fail: a script that stops half-way is not undone.
local seq = log_events(rest(17))
redis.call('HSET', at.thread, 'updated', at.now, 'ended', at.now)
if ARGV[16] == '1' then
  forget_run(at.run_id)
  return go_on(nil, seq)
end
end_run(at.run_id, ARGV[10], ARGV[12], ARGV[13])
redis.call('HSET', at.run, 'usage', ARGV[14])
redis.call('HSET', at.thread, 'asked', ARGV[15], 'error', ARGV[12], 'error_message', ARGV[13])
return go_on(ARGV[11], seq)
