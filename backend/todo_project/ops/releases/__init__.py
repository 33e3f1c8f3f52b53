"""Whether the previous release can keep running while and after this release's migrations are applied."""

from .incompatibility import Incompatibility
from .plan import Pending, check_pending

__all__ = ["Incompatibility", "Pending", "check_pending"]
