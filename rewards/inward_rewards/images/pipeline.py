"""`diffusers`: an image generator in this process.

The pipeline is loaded at the first drawing that is not in the cache, and draws one at a time, on a
thread. Its own tokenizer cuts the prompt: of several, the one that reads most, as FLUX.1's T5 does
beside a CLIP whose 77 tokens only set the mood.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from inward_rewards.charts.cache import digest
from inward_rewards.images.config import DiffusersConfig
from inward_rewards.images.devices import accelerator
from inward_rewards.images.drawings import Drawings, Order, checked
from inward_rewards.images.errors import RedrawError
from inward_rewards.images.prompts import cut_at
from inward_rewards.images.redraw import Canvas, Redrawn
from inward_rewards.images.server import shown
from inward_rewards.sandbox import survives_forks

INSTALL = 'pip install "inward-rewards[diffusion]"'


class DiffusersRedraw:
    """`diffusers`: a pipeline by id and revision, or from a folder. Only weights in safetensors are
    loaded, and no code of a model's.

    Raises `RedrawError` where it cannot be loaded or breaks off. Metrics: those of `Drawings`.
    """

    def __init__(self, config: DiffusersConfig, folder: Path | None) -> None:
        try:
            import diffusers
            import torch
            import transformers
        except ImportError as error:
            raise ImportError(f"redraw.type 'diffusers' needs {error.name}: {INSTALL}") from error
        del diffusers, transformers
        self._config = config
        device = accelerator(config.device, torch)
        self._pipeline = _pipeline(config.model, config.revision, device, config.dtype)
        self._drawings = Drawings(config, self._draw, folder, concurrency=1)

    async def __call__(self, description: str, canvas: Canvas) -> Redrawn:
        pipeline = self._pipeline
        read = pipeline.known
        if read is None:
            read = await asyncio.to_thread(pipeline.reader)
        identity = {
            "backend": "diffusers",
            "library": pipeline.library,
            "weights": read.weights,
            "device": pipeline.device.partition(":")[0],
            "dtype": self._config.dtype,
            # T5 is padded to it, which changes the drawing.
            "prompt_tokens": self._tokens,
        }
        return await self._drawings.of(description, canvas, read.cut, identity)

    @property
    def _tokens(self) -> int:
        return int(self._config.settings["prompt_tokens"])

    async def _draw(self, order: Order) -> bytes | None:
        return await asyncio.to_thread(self._pipeline.draw, order, self._tokens)


@cache
def _pipeline(model: str, revision: str | None, device: str, dtype: str) -> _Pipeline:
    """One per process, whatever is drawn with it."""
    return _Pipeline(model, revision, device, dtype)


class _Pipeline:
    """Weights and tokenizer, each loaded at the first use. Draws one picture at a time: a pipeline
    keeps its steps on itself, and a thread whose rollout was cancelled draws on."""

    def __init__(self, model: str, revision: str | None, device: str, dtype: str) -> None:
        import diffusers
        import torch
        import transformers

        self._diffusers, self._torch, self._transformers = diffusers, torch, transformers
        self._model, self._revision, self._dtype = model, revision, dtype
        self.device, self.library = device, diffusers.__version__
        survives_forks(self)
        self.after_fork()

    def after_fork(self) -> None:
        self._loading, self._drawing = threading.Lock(), threading.Lock()
        self.known: _Reader | None = None
        self._pipeline: Any = None

    def reader(self) -> _Reader:
        """What is known of the model without its weights."""
        with self._loading:
            if self.known is None:
                self.known = self._guarded(self._known)
            return self.known

    def draw(self, order: Order, tokens: int) -> bytes | None:
        read = self.reader()
        with self._drawing:
            if self._pipeline is None:
                self._pipeline = self._guarded(self._loaded)
            return self._guarded(lambda: self._drawn(order, tokens + read.template_tokens))  # type: ignore[no-any-return]

    def _drawn(self, order: Order, tokens: int) -> bytes | None:
        options = {}
        if "max_sequence_length" in inspect.signature(self._pipeline.__call__).parameters:
            options["max_sequence_length"] = tokens
        [pixels] = self._pipeline(
            prompt=order.prompt,
            width=order.width,
            height=order.height,
            num_inference_steps=order.steps,
            guidance_scale=order.guidance,
            generator=self._torch.Generator("cpu").manual_seed(order.seed),
            output_type="np",
            **options,
        ).images
        # As a picture it would be black, which is taken for a refusal.
        if not np.isfinite(pixels).all():
            raise ValueError(
                f"the drawing holds numbers that are not finite in {self._dtype}: "
                + (
                    "set redraw.dtype to 'bfloat16' or 'float32'"
                    if self._dtype == "float16"
                    else "the weights or the device are at fault"
                )
            )
        [image] = self._diffusers.image_processor.VaeImageProcessor.numpy_to_pil(pixels[None])
        out = io.BytesIO()
        image.save(out, "PNG")
        return checked(out.getvalue(), order.width, order.height)

    def _loaded(self) -> Any:
        pipeline = self._diffusers.DiffusionPipeline.from_pretrained(
            self._model,
            revision=self._revision,
            dtype=getattr(self._torch, self._dtype),
            use_safetensors=True,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to(self.device)

    def _guarded(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        # torch, the hub and each pipeline have exceptions of their own.
        except Exception as error:
            raise RedrawError(
                f"redraw.type 'diffusers': {self._model!r} (revision {self._revision!r}) on "
                f"{self.device}: {type(error).__name__}: {shown(error)}: check redraw.model, "
                "redraw.revision and access to the hub; where memory ran out, lower "
                "redraw.megapixels or choose another redraw.device"
            ) from error

    def _known(self) -> _Reader:
        index, commit = self._diffusers.DiffusionPipeline.load_config(
            self._model, revision=self._revision, return_commit_hash=True
        )
        names = [name for name in index if name.startswith("tokenizer") and index[name][0]]
        tokenizers = [
            self._transformers.AutoTokenizer.from_pretrained(
                self._model, subfolder=name, revision=self._revision
            )
            for name in names
        ]
        longest = max(tokenizers, key=lambda tokenizer: tokenizer.model_max_length)
        return _Reader(longest, commit or _content(Path(self._model)))


class _Reader:
    """How a pipeline reads its prompt."""

    def __init__(self, tokenizer: Any, weights: str) -> None:
        self._tokenizer = tokenizer
        self.weights = weights
        """What tells other weights under the same name."""
        self.template_tokens = 0
        """That a chat template adds."""
        if tokenizer.chat_template:
            empty = tokenizer.apply_chat_template(
                [{"role": "user", "content": ""}],
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,
            )
            self.template_tokens = len(tokenizer(empty)["input_ids"])

    def cut(self, text: str, tokens: int) -> tuple[str, int]:
        read = self._tokenizer(
            text, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False
        )
        return cut_at(text, read["offset_mapping"], read["special_tokens_mask"], tokens)


def _content(folder: Path) -> str:
    """Of a folder's files: names, sizes and times."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    stats = [(str(file.relative_to(folder)), file.stat()) for file in files]
    return digest(*(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats))
