-- Included before the scripts of runs, after append_events. All of them have these KEYS: fence, thread, run,
-- pending, runs, stream, queue's incomplete jobs, queue's queued jobs; and these ARGV first: now, run id, prefix of
-- run keys, prefix of job keys, live channel, events kept, age in ms at which events may go, cancel channel.
local at = {
  fence = KEYS[1], thread = KEYS[2], run = KEYS[3], pending = KEYS[4], runs = KEYS[5], stream = KEYS[6],
  incomplete = KEYS[7], queued = KEYS[8], now = ARGV[1], run_id = ARGV[2], run_prefix = ARGV[3], job_prefix = ARGV[4],
  channel = ARGV[5], kept = ARGV[6], age = ARGV[7], cancel_channel = ARGV[8],
}

local function log_events(events)
  return append_events(at.thread, at.stream, at.channel, at.kept, events)
end

local function active_run()
  return redis.call('HGET', at.thread, 'active') or ''
end

-- Makes a run the thread's active one and puts it before the workers, as SAQ's own enqueue does; a second time does
-- no harm. `seq` is the last one before the run. `rest` is how the thread was: a run of which nothing stays leaves it so.
local function activate(run_id, seq)
  local status = redis.call('HGET', at.thread, 'status') or 'idle'
  if status ~= 'busy' then
    redis.call('HSET', at.thread, 'rest', status)
  end
  redis.call('HSET', at.thread, 'active', run_id, 'status', 'busy', 'run_seq', seq)
  redis.call('PERSIST', at.stream)
  local job = at.job_prefix .. run_id
  if not redis.call('ZSCORE', at.incomplete, job) then
    redis.call('SET', job, redis.call('HGET', at.run_prefix .. run_id, 'job'))
    redis.call('ZADD', at.incomplete, 0, job)
    redis.call('RPUSH', at.queued, job)
  end
end

-- The next pending run becomes active, or the thread comes to rest: as it was before the run where no status is given.
-- Returns the active run or ''.
local function go_on(thread_status, seq)
  thread_status = thread_status or redis.call('HGET', at.thread, 'rest') or 'idle'
  local following = redis.call('LPOP', at.pending)
  if following then
    redis.call('HSET', at.thread, 'rest', thread_status)
    activate(following, seq)
    return following
  end
  redis.call('HSET', at.thread, 'active', '', 'status', thread_status)
  redis.call('PEXPIRE', at.stream, at.age)
  return ''
end

local function forget_run(run_id)
  redis.call('DEL', at.run_prefix .. run_id)
  redis.call('ZREM', at.runs, run_id)
end

local function end_run(run_id, status, code, message)
  redis.call('HSET', at.run_prefix .. run_id, 'status', status, 'ended', at.now, 'error', code,
    'error_message', message)
end
