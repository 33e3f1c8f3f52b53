"""Parses the files of other programs, and writes their tasks with the services of todos."""
