"""Background jobs: the queue and the registry of jobs."""
