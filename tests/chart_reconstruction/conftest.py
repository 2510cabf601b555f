from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn again is kept, and not in the user's own cache."""
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path / "cache"))
