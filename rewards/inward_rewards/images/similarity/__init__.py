"""How like two pictures are to a trained vision model: the cosine of their embeddings.

    likeness = await EmbeddingSimilarity(EmbeddingConfig())(original_png, drawing_png)
    likeness.value, likeness.cosine

Needs `pip install "inward-rewards[vision]"`; with `base_url`, `inward-rewards[charts,verifiers]`.
"""

from inward_rewards.images.similarity.config import EmbeddingConfig
from inward_rewards.images.similarity.embedding import EmbeddingSimilarity, Likeness
from inward_rewards.images.similarity.errors import EmbeddingError

__all__ = ["EmbeddingConfig", "EmbeddingError", "EmbeddingSimilarity", "Likeness"]
