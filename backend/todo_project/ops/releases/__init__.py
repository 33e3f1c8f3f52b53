"""Whether this release's migrations let the release before go on serving: migrations that roll."""

from .findings import Finding
from .plan import Pending, examine

__all__ = ["Finding", "Pending", "examine"]
