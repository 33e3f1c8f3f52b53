"""An application that is never imported to its end."""

from __future__ import annotations

import os
import time
from pathlib import Path

Path(os.environ["IS_IMPORTING"]).touch()
time.sleep(600)
