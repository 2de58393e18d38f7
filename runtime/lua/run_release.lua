-- ARGV from 9: fence. Gives a run back that its worker cannot finish: it costs no attempt.
if tonumber(ARGV[9]) == tonumber(redis.call('GET', at.fence) or '0')
  and redis.call('HGET', at.run, 'status') == 'running' then
  redis.call('HINCRBY', at.run, 'attempts', -1)
end
