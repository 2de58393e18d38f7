-- KEYS: fence, run. ARGV: fence. Gives a run back that its worker cannot finish: it costs no attempt.
if tonumber(ARGV[1]) == tonumber(redis.call('GET', KEYS[1]) or '0')
  and redis.call('HGET', KEYS[2], 'status') == 'running' then
  redis.call('HINCRBY', KEYS[2], 'attempts', -1)
end
