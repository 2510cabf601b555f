"""Search within one document of a corpus."""
