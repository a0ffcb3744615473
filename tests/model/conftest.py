from __future__ import annotations

import pytest
from agreed import Remembered


@pytest.fixture
def remembered(request: pytest.FixtureRequest) -> Remembered:
    """Tells whether what this test compares has agreed before; the test is marked `remembered`."""
    return Remembered(request.path)
