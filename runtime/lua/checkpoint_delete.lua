-- Drops a thread's checkpoints, and ends what is being built of them.
bury()
redis.call('UNLINK', KEYS[5], KEYS[6], KEYS[7])
