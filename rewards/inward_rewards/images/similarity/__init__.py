"""How like two pictures are to a trained vision model: the cosine of their embeddings.

    likeness = await EmbeddingSimilarity(EmbeddingConfig())(original_png, drawing_png)
    likeness.value, likeness.cosine

Needs `pip install "inward-rewards[vision]"`; with `base_url`, `inward-rewards[images]`.
"""

from inward_rewards.images.similarity.config import EmbeddingConfig
from inward_rewards.images.similarity.embedding import EmbeddingSimilarity, Likeness, similarity_of

__all__ = ["EmbeddingConfig", "EmbeddingSimilarity", "Likeness", "similarity_of"]
