import pytest


@pytest.fixture(autouse=True)
def cache_dir(tmp_path, monkeypatch):
    """Every test has an index cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("INWARD_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """The folder of a small SentenceTransformer, trained on the sample stories."""
    from retrieval import tiny_model as recipe

    return recipe.train(tmp_path_factory.mktemp("tiny"), recipe.sample_stories())
