"""Notifications in the app and by e-mail: reminders, assignments, mentions, comments, invitations."""
