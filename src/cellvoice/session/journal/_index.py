"""The index of a folder: what its lines say, to look things up and for a person to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ._layout import FORMAT_VERSION

__all__ = ["Entry", "entry_of", "index_json", "index_page"]

Entry = dict[str, object]

_SHOWN_CHARS = 400


def entry_of(record: Mapping[str, Any]) -> Entry:
    """One turn's entry, made of its line alone."""
    reply = _mapping(record.get("reply"))
    sound = _mapping(reply.get("sound"))
    cell = record.get("cell")
    timing = _mapping(record.get("timing"))
    return {
        "id": record.get("id"),
        "asked_at": record.get("asked_at"),
        "finish": record.get("finish") or "running",
        "question": _question(record),
        "answer": _short(str(reply.get("text") or reply.get("refusal") or "")),
        "spoken_s": sum(
            float(part.get("duration_s") or 0.0)
            for part in record.get("input") or ()
            if isinstance(part, dict)
        ),
        "answer_s": float(sound.get("duration_s") or 0.0),
        "total_s": timing.get("total_s"),
        "model": record.get("model") or _mapping(record.get("settings")).get("model"),
        # What a branch shares was paid for by the session that it left.
        "cost_usd": 0.0 if record.get("shared") else record.get("cost_usd"),
        "cell": cell.get("id") if isinstance(cell, Mapping) else None,
    }


def index_json(session: Mapping[str, object], entries: Iterable[Entry], covers_bytes: int) -> bytes:
    """`session.json`. `covers_bytes` is how much of the lines it was made of."""
    turns = [{"number": number, **entry} for number, entry in enumerate(entries, 1)]
    whole = {
        "format": FORMAT_VERSION,
        **session,
        "turns": turns,
        "seconds": round(sum(map(_sound_s, turns)), 3),
        "cost_usd": _total(turns),
        "covers_bytes": covers_bytes,
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def index_page(session: Mapping[str, object], entries: Iterable[Entry]) -> bytes:
    """`index.md`."""
    lines = [f"# {_plain(session.get('name') or session.get('id'))}", ""]
    lines += [
        f"{name}: {_plain(session[name])}  "
        for name in ("id", "made_at", "model", "voice", "system")
        if session.get(name)
    ]
    for number, entry in enumerate(entries, 1):
        facts = [str(entry["asked_at"]), str(entry["finish"])]
        if entry["answer_s"]:
            facts.append(f"{entry['answer_s']:.1f} s of speech")
        if isinstance(entry["total_s"], float):
            facts.append(f"{entry['total_s']:.1f} s in all")
        if isinstance(entry["cost_usd"], (int, float)):
            facts.append(f"${entry['cost_usd']:.6f}")
        lines += ["", f"## {number}", "", f"**You:** {_plain(entry['question'])}", ""]
        lines += [f"**{_plain(entry['model'])}:** {_plain(entry['answer']) or '—'}", ""]
        lines += [f"*{' · '.join(facts)}*"]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _question(record: Mapping[str, Any]) -> str:
    said: list[str] = []
    for part in record.get("input") or ():
        if not isinstance(part, dict):
            continue
        if part.get("kind") == "text":
            said.append(str(part.get("text") or ""))
        else:
            heard = record.get("heard")
            told = f": {heard}" if heard else ""
            said.append(f"[sound {float(part.get('duration_s') or 0.0):.1f} s{told}]")
    return _short(" ".join(said))


def _short(text: str) -> str:
    flat = " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
    return flat if len(flat) <= _SHOWN_CHARS else f"{flat[: _SHOWN_CHARS - 1]}…"


def _plain(value: object) -> str:
    """On one line, and without what Markdown would take for a heading or a page for a tag."""
    flat = " ".join(str(value or "").split())
    return flat.replace("<", "&lt;").encode("utf-8", "replace").decode("utf-8")


def _sound_s(entry: Mapping[str, Any]) -> float:
    return float(entry["spoken_s"]) + float(entry["answer_s"])


def _total(turns: Iterable[Mapping[str, Any]]) -> float:
    return sum(turn["cost_usd"] for turn in turns if isinstance(turn["cost_usd"], (int, float)))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
