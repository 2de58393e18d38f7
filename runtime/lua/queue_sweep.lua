-- KEYS: active jobs, incomplete jobs, queued jobs. ARGV: now in ms.
-- Puts the jobs of lost workers before the others, each in one step: a sweep that ends half-way loses none, and two at
-- once hand none on twice. A job that was taken and not begun is given its heartbeat's time too. Returns those jobs.
local now, swept = tonumber(ARGV[1]), {}

local function is_lost(job)
  local silence, limit = now - (job.touched or 0), job.heartbeat or 0
  local age, timeout = now - (job.started or now), job.timeout or 10
  return limit > 0 and silence > limit * 1000 or timeout > 0 and age > timeout * 1000
end

for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local body = redis.call('GET', id)
  local job = body and cjson.decode(body)
  if not job then
    redis.call('LREM', KEYS[1], 0, id)
    redis.call('ZREM', KEYS[2], id)
  elseif job.status ~= 'active' and not (job.meta and job.meta.taken) then
    job.meta, job.touched = {taken = true}, now
    redis.call('SET', id, cjson.encode(job))
  elseif is_lost(job) then
    job.status, job.meta, job.started = 'queued', nil, nil
    redis.call('LREM', KEYS[1], 0, id)
    redis.call('SET', id, cjson.encode(job))
    redis.call('ZADD', KEYS[2], 0, id)
    redis.call('RPUSH', KEYS[3], id)
    swept[#swept + 1] = id
  end
end
return swept
