-- The thread's namespaces. KEYS: checkpoints.
return namespaces(KEYS[1])
