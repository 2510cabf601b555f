"""QuALITY as multi-turn agentic RAG."""
