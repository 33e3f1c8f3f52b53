"""The filter language: `project:Home & (label:urgent | priority>=3) & due<today+7d`."""
