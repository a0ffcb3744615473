"""The user's guide: Markdown pages, and the reference that is made from the code."""
