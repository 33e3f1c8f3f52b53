"""Back up, verify and restore. README.md says what runs in the image and what on the host."""
