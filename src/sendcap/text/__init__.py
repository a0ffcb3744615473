"""Words: quantities, shares, quoting."""
