"""Charts of capacity: stages over time, and the answers of the searches."""
