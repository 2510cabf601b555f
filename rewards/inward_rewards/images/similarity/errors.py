"""The one error of embeddings: it is the machine's."""


class EmbeddingError(RuntimeError):
    """A picture could not be embedded. No score may be given then."""
