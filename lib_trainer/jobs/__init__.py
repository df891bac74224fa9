"""Run a step in the engine's own process and environment; standard library only."""
