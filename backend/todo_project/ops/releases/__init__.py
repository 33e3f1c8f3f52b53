"""Whether this release's migrations let the previous release go on serving: migrations that roll."""

from .incompatibility import Incompatibility
from .plan import Pending, judge_pending

__all__ = ["Incompatibility", "Pending", "judge_pending"]
