"""A backend for to-do applications."""

# Whether this process runs one command or the worker, and serves no requests: manage.py says so before anything
# reads it. Such a process takes the database's own address where requests go through a pooler.
is_command = False
