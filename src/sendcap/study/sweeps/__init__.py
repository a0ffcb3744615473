"""Parameter sweeps: points, measures, executors, and a store that survives anything."""
