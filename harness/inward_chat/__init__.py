"""In-process chat harness for verifiers."""
