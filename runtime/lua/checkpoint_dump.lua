-- A thread as a whole. Returns {runs, three dumps, '' for a key that is not there}.
local reply = {run_ids(KEYS[1])}
for i = 1, 3 do reply[i + 1] = redis.call('DUMP', KEYS[i]) or '' end
return reply
