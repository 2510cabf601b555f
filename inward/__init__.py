"""The `inward` command line and its reports."""
