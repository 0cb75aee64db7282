"""A request and its reply in the words of OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cellvoice.protocol import Reply, Request

__all__ = [
    "Attributes",
    "content_attributes",
    "reply_attributes",
    "request_attributes",
]

Attributes = dict[str, Any]

_SAME_NAME: Final = (
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "stream",
    "temperature",
    "top_p",
)


def request_attributes(request: Request) -> Attributes:
    """What was asked, without what was said."""
    params = request.params
    found: Attributes = {
        "gen_ai.request.model": request.model,
        "gen_ai.output.type": _output_type(params),
    }
    for name in _SAME_NAME:
        if isinstance(params.get(name), (int, float)):
            found[f"gen_ai.request.{name}"] = params[name]
    limit = params.get("max_completion_tokens", params.get("max_tokens"))
    if isinstance(limit, int):
        found["gen_ai.request.max_tokens"] = limit
    count = params.get("n")
    if isinstance(count, int) and count != 1:
        found["gen_ai.request.choice.count"] = count
    stop = params.get("stop")
    if isinstance(stop, str):
        found["gen_ai.request.stop_sequences"] = [stop]
    elif isinstance(stop, (list, tuple)) and stop:
        found["gen_ai.request.stop_sequences"] = list(stop)
    return found


def _output_type(params: Mapping[str, Any]) -> str:
    """speech, json or text: what was asked for."""
    if "audio" in params:
        return "speech"
    form = params.get("response_format")
    kind = form.get("type") if isinstance(form, Mapping) else None
    return "json" if kind in ("json_object", "json_schema") else "text"


def reply_attributes(reply: Reply) -> Attributes:
    """How it was answered, without what was said."""
    found: Attributes = {}
    if reply.model:
        found["gen_ai.response.model"] = reply.model
    if reply.reply_id:
        found["gen_ai.response.id"] = reply.reply_id
    if reply.finish_reason:
        found["gen_ai.response.finish_reasons"] = [reply.finish_reason]
    if reply.fingerprint:
        found["openai.response.system_fingerprint"] = reply.fingerprint
    usage = reply.usage
    if usage is not None:
        found["gen_ai.usage.input_tokens"] = usage.prompt_tokens
        found["gen_ai.usage.output_tokens"] = usage.completion_tokens
        sent, made = usage.prompt_tokens_details, usage.completion_tokens_details
        if sent is not None:
            found["gen_ai.usage.cache_read.input_tokens"] = sent.cached_tokens
            # Sound costs several times what text does, and the conventions have no word for it.
            found["cellvoice.usage.input_audio_tokens"] = sent.audio_tokens
        if made is not None:
            found["cellvoice.usage.output_audio_tokens"] = made.audio_tokens
    return {name: value for name, value in found.items() if value is not None}


def content_attributes(request: Request, reply: Reply) -> Attributes:
    """What was said by either side, and the tools; sound in words only (`⟨wav 4.2 s⟩`)."""
    described = request.described()
    messages = described["messages"]
    assert isinstance(messages, list)
    said = [{"role": message.get("role"), "parts": list(_parts(message))} for message in messages]
    parts: list[object] = []
    if reply.text or reply.refusal:
        parts.append({"type": "text", "content": reply.text or reply.refusal})
    parts += [_call(one.call_id, one.name, one.arguments) for one in reply.tool_calls]
    answered = {"role": "assistant", "parts": parts, "finish_reason": reply.finish_reason or "stop"}
    found = {
        "gen_ai.input.messages": _text(said),
        "gen_ai.output.messages": _text([answered]),
    }
    if described.get("tools"):
        found["gen_ai.tool.definitions"] = _text(described["tools"])
    return found


def _parts(message: Mapping[str, Any]) -> Iterable[object]:
    content = message.get("content")
    if message.get("role") == "tool":
        yield {
            "type": "tool_call_response",
            "id": message.get("tool_call_id"),
            "response": content,
        }
        return
    if isinstance(content, str) and content:
        yield {"type": "text", "content": content}
    for part in content if isinstance(content, list) else ():
        if part.get("type") == "text":
            yield {"type": "text", "content": part.get("text")}
        else:
            sound = part.get(str(part.get("type")))
            told = sound.get("data") if isinstance(sound, Mapping) else None
            yield {"type": str(part.get("type")), "content": told}
    audio = message.get("audio")
    if isinstance(audio, Mapping):
        yield {"type": "audio", "id": audio.get("id")}
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        yield _call(call.get("id"), function.get("name"), function.get("arguments") or "")


def _call(call_id: object, name: object, arguments: str) -> object:
    try:
        given = json.loads(arguments)
    except ValueError:
        given = arguments
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": given}


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
