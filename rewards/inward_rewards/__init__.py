"""Rewards and metrics for verifiers tasksets."""
