"""Background work: the queue, which jobs exist and when they run."""
