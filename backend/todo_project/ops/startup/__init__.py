"""What a start does before it serves: migrations under a lock, static files of this build."""
