-- Included before other scripts. Ends a run, writes its last events, and makes the next pending run the active one.
local function settle_run(thread, run, pending, stream, now, outcome, thread_status, code, message, channel, kept, events)
  -- First what can fail: a script that stops half-way is not undone.
  local seq = append_events(thread, stream, channel, kept, events)
  redis.call('HSET', run, 'status', outcome, 'ended', now, 'error', code, 'error_message', message)
  redis.call('HSET', thread, 'updated', now, 'ended', now, 'error', code, 'error_message', message)
  local following = redis.call('LPOP', pending)
  if following then
    redis.call('HSET', thread, 'active', following, 'status', 'busy', 'run_seq', seq)
    return following
  end
  redis.call('HSET', thread, 'active', '', 'status', thread_status)
  return ''
end
