-- Drops a thread's checkpoints, freed in the background. KEYS: checkpoints, blobs, writes. Returns its runs.
local runs = run_ids(KEYS[1])
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
return runs
