"""The steps of a start before it serves: migrations under a lock, static files of this build."""
