from __future__ import annotations

import json

import numpy as np
from golden_ledgers import FILE, REFRESH, digests

from sendcap.version import MODEL_VERSION


def test_results_change_only_with_the_number_of_the_model() -> None:
    golden = json.loads(FILE.read_text(encoding="utf-8"))
    found = digests()
    changed = sorted(
        name
        for name in golden["scenarios"] | found
        if found.get(name) != golden["scenarios"].get(name)
    )
    advice = (
        f"results changed: {', '.join(changed)}. If that is meant, raise MODEL_VERSION in "
        f"src/sendcap/version.py and refresh the hashes: {REFRESH}"
    )
    if golden["numpy"] != np.__version__:
        # A generator's distributions may draw otherwise in another NumPy.
        advice += f" (recorded with NumPy {golden['numpy']}, this is {np.__version__})"
    assert not changed, advice
    assert golden["model"] == MODEL_VERSION, f"refresh the hashes: {REFRESH}"
