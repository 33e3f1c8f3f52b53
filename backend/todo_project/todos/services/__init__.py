"""All writes of projects, sections, tasks and labels."""
