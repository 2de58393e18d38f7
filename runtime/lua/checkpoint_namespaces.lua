-- The thread's namespaces.
return namespaces(KEYS[1])
