"""Safe writing: files and directories are complete or absent; tables have one rounding rule."""
