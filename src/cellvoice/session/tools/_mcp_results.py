"""What an MCP server gave back, as values that a model can be told and a card can show."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cellvoice.audio import Clip
from cellvoice.errors import AudioError

__all__ = ["McpImage", "McpToolError", "value_of"]


class McpToolError(RuntimeError):
    """A tool of an MCP server failed; the message is the server's."""


@dataclass(frozen=True, slots=True)
class McpImage:
    """A picture that a tool gave, as the bytes of a file of that type."""

    data: bytes = field(repr=False)
    mime_type: str

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        """Show the picture where its type can be shown."""
        shown: dict[str, object] = {"text/plain": repr(self)}
        if self.mime_type in ("image/png", "image/jpeg"):
            shown[self.mime_type] = base64.b64encode(self.data).decode("ascii")
        return shown


def value_of(result: Any) -> object:
    """The value of a `CallToolResult`; raises McpToolError if it is an error.

    A structured result is that; texts are one text; sound is a Clip; several parts are a list.
    """
    parts = [_part(block) for block in result.content]
    if result.is_error:
        raise McpToolError(_joined(parts) or "the tool failed and did not say why")
    structured = result.structured_content
    if structured is not None:
        # A server wraps what is no object, for older protocols take nothing else.
        if isinstance(structured, dict) and set(structured) == {"result"}:
            return structured["result"]
        return structured
    if all(isinstance(part, str) for part in parts):
        return _joined(parts)
    return parts[0] if len(parts) == 1 else parts


def _joined(parts: Iterable[object]) -> str:
    return "\n".join(part for part in parts if isinstance(part, str))


def _part(block: Any) -> object:
    if block.type == "text":
        return str(block.text)
    if block.type == "resource":
        inner = block.resource
        text = getattr(inner, "text", None)
        return text if isinstance(text, str) else f"[{inner.mime_type or 'bytes'} at {inner.uri}]"
    if block.type == "resource_link":
        return json.dumps(_only_told({"name": block.name, "uri": str(block.uri)}))
    data = _bytes(block.data)
    if data is None:
        return f"[{block.mime_type} that is no base64]"
    if block.type == "audio":
        try:
            return Clip.from_bytes(data)
        except AudioError as error:
            return f"[{block.mime_type} that cannot be read: {error}]"
    return McpImage(data, str(block.mime_type))


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _only_told(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
