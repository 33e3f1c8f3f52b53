"""From a line of text to a task. The order: marks, schedule, resolving; `reading` joins them, `adding` writes."""
