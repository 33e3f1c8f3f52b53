"""The rules of projects, sections, tasks and labels, and all writes of them."""
