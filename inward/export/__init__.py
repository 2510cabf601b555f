"""A run for other programs: pydantic-evals, and Hugging Face's datasets."""
