"""A renderer for a policy that is shown that there is a picture, and not the picture."""

from __future__ import annotations

from typing import Any

from renderers import DefaultRendererConfig
from renderers.default import DefaultRenderer


class PictureRenderer(DefaultRenderer):
    """The tokenizer's own chat template, whatever it makes of a picture. Named by a `custom`
    renderer's `import_path`."""

    config_class = DefaultRendererConfig
    supports_process_multimodal = True

    def render(self, messages: Any, *, process_multimodal: bool = True, **options: Any) -> Any:
        return super().render(messages, **options)
