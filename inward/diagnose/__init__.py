"""Signals over checkpoints: of runs, or of the steps of a training."""
