"""Backup, verification and restore. What runs in the image and what runs on the host is told in README.md."""
