import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """The folder of a small SentenceTransformer, trained on the sample stories."""
    pytest.importorskip("sentence_transformers", reason="needs the models group")
    from retrieval import tiny_model as recipe

    return recipe.train(tmp_path_factory.mktemp("tiny"), recipe.sample_stories())
