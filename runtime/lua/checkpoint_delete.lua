-- Drops a thread's checkpoints.
bury()
