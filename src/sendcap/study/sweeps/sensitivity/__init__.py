"""Which parameters decide a measure."""
