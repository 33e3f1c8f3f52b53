"""Deploy, roll back, promote and show the releases of an environment, and rotate its secrets."""
