import pytest


@pytest.fixture(autouse=True)
def cache_dir(tmp_path, monkeypatch):
    """Every test has an index cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("INWARD_CACHE_DIR", str(folder))
    return folder
