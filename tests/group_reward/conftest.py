import pytest


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory):
    """Folder of a tiny random Qwen3 and its tokenizer."""
    pytest.importorskip("torch", reason="the tiny model needs torch (group `models`)")
    from rewards.tiny_qwen import make_tiny

    return make_tiny(tmp_path_factory.mktemp("tiny-qwen"))
