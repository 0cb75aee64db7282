"""What a tool returned: in words for the model, and as something to look at for a person."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from html import escape
from typing import Any, Final

from cellvoice.audio import Clip, waveform_data_uri

from .safe_html import CELL_STYLE

__all__ = ["MOST_LETTERS", "Shown", "shown"]

# About 4,000 tokens: more of a result is read by nobody and billed in every later turn.
MOST_LETTERS: Final = 16_000
_MOST_PARTS: Final = 20
_TABLE_ROWS: Final = 20
_TABLE_COLUMNS: Final = 12
_CELL_LETTERS: Final = 80
_IMAGE_BYTES: Final = 1_000_000
_CELL: Final = f'style="{CELL_STYLE}"'


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` is for the model, `html` for a person (escaped, without script), or None."""

    text: str
    html: str | None = None


def shown(result: object) -> Shown:
    """A result as the model is told of it and a card shows it.

    JSON goes as it is. What is none is described: a table by its shape and first rows, an array by
    its shape and range, sound and pictures by what they are. Never raises: what can't be described
    is told by its type.
    """
    try:
        found = _described(result)
    except Exception as error:  # noqa: BLE001 (whatever the user's objects raise)
        kind = type(result).__name__
        found = Shown(f"a {kind} that can't be described ({type(error).__name__})")
    return Shown(cut(found.text), found.html)


def cut(text: str, letters: int = MOST_LETTERS) -> str:
    """The beginning of a long text, with a note of what was left out."""
    # Half of a letter of two code units can't be sent.
    text = text.encode("utf-8", "replace").decode()
    if len(text) <= letters:
        return text
    return (
        f"{text[:letters]}\n[cut: this is the beginning, {letters:,} of {len(text):,} characters; "
        "ask for a smaller part]"
    )


def _described(result: object) -> Shown:
    if isinstance(result, str):
        return Shown(result or "(an empty text)")
    if isinstance(result, Clip):
        return _sound(result)
    for fits, describe in _KINDS:
        if fits(result):
            return describe(result)
    if isinstance(result, (list, tuple)) and len(result) <= _MOST_PARTS:
        parts = [_described(one) for one in result]
        if any(part.html is not None for part in parts):
            return _one_after_the_other(parts)
    return Shown(json.dumps(_plain(result), ensure_ascii=False))


def _one_after_the_other(parts: list[Shown]) -> Shown:
    html = [part.html if part.html is not None else escape(part.text) for part in parts]
    return Shown("\n".join(part.text for part in parts), "<br>".join(html))


def _plain(value: object) -> object:
    """Something that JSON can hold: models and dataclasses as mappings, the rest by its text."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    dump = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        return _plain(dump(mode="json"))
    if hasattr(value, "item") and hasattr(value, "dtype"):
        return _plain(value.item())
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{len(value)} bytes"
    # Dates, paths, decimals, enums: their text says what they are.
    return str(getattr(value, "value", value))


def _sound(clip: Clip) -> Shown:
    text = (
        f"a sound of {clip.duration_s:.1f} s at {clip.sample_rate_hz} Hz; it is shown to the user, "
        "and can't be heard by you"
    )
    picture = f'<img alt="waveform" src="{escape(waveform_data_uri(clip.peaks(96)))}">'
    return Shown(text, f"{picture}<br>{clip.duration_s:.1f} s of sound")


def _is_table(value: object) -> bool:
    return all(hasattr(value, name) for name in ("columns", "dtypes", "iloc", "shape"))


def _table(frame: Any) -> Shown:
    rows, columns = frame.shape
    part = frame.iloc[:_TABLE_ROWS, :_TABLE_COLUMNS]
    names = [str(name) for name in part.columns]
    cells = [[_cell(value) for value in row] for row in part.itertuples(index=False, name=None)]
    kinds = ", ".join(f"{name} ({kind})" for name, kind in zip(names, part.dtypes, strict=True))
    lines = "\n".join(" | ".join(row) for row in (names, *cells))
    left_out = rows > len(cells) or columns > len(names)
    more = f"\n[the first {len(cells)} of {rows} rows]" if left_out else ""
    text = f"a table of {rows} rows and {columns} columns: {kinds}\n{lines}{more}"
    return Shown(text, _table_html(names, cells, f"{rows} rows × {columns} columns"))


def _is_series(value: object) -> bool:
    return hasattr(value, "to_frame") and hasattr(value, "iloc")


def _is_array(value: object) -> bool:
    return hasattr(value, "__array__") and hasattr(value, "dtype") and hasattr(value, "shape")


def _array(array: Any) -> Shown:
    if array.ndim == 0:
        return Shown(json.dumps(_plain(array)))
    shape = " × ".join(map(str, array.shape))
    text = f"an array of {shape}, {array.dtype}"
    if array.size and array.dtype.kind in "iufb":
        text += f", from {array.min():.6g} to {array.max():.6g}, mean {array.mean():.6g}"
    if array.size <= 200:
        text += f": {json.dumps(array.tolist(), default=str)}"
    else:
        first = json.dumps(array.reshape(-1)[:20].tolist(), default=str)
        text += f"; it begins with {first[1:-1]}"
    rows = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array.reshape(1, -1)
    cells = [[_cell(value) for value in row[:_TABLE_COLUMNS]] for row in rows[:_TABLE_ROWS]]
    return Shown(text, _table_html([], cells, f"array {shape}, {array.dtype}"))


def _is_figure(value: object) -> bool:
    return callable(getattr(value, "savefig", None))


def _figure(figure: Any) -> Shown:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=96)
    axes = list(getattr(figure, "axes", ()) or ())
    titles = [str(axis.get_title()) for axis in axes if hasattr(axis, "get_title")]
    named = ", ".join(repr(title) for title in titles if title)
    text = f"a figure with {len(axes)} plot{'s' if len(axes) != 1 else ''}"
    if named:
        text += f" titled {named}"
    return _picture(buffer.getvalue(), "image/png", f"{text}; it is shown to the user")


def _is_picture(value: object) -> bool:
    return not isinstance(value, type) and _image_in(value) is not None


def _image_in(value: Any) -> tuple[str, bytes] | None:
    """The picture as which an object shows itself in a notebook: its type and bytes, or None."""
    found: dict[str, Any] = {}
    for mime, method in (("image/png", "_repr_png_"), ("image/jpeg", "_repr_jpeg_")):
        if callable(getattr(value, method, None)):
            found[mime] = getattr(value, method)()
    if not found and callable(getattr(value, "_repr_mimebundle_", None)):
        told = value._repr_mimebundle_()
        bundle = told[0] if isinstance(told, tuple) else told
        found = dict(bundle) if isinstance(bundle, Mapping) else {}
    for mime in ("image/png", "image/jpeg"):
        data = found.get(mime)
        data = data[0] if isinstance(data, tuple) else data
        if isinstance(data, str):
            return mime, base64.b64decode(data)
        if isinstance(data, bytes):
            return mime, data
    return None


def _drawn(value: Any) -> Shown:
    mime, data = _image_in(value) or ("image/png", b"")
    size, kind = getattr(value, "size", None), type(value).__name__
    of_size = f" of {size[0]} × {size[1]}" if isinstance(size, tuple) and len(size) == 2 else ""
    return _picture(data, mime, f"a picture ({kind}){of_size}; it is shown to the user")


def _picture(data: bytes, mime: str, text: str) -> Shown:
    if not data or len(data) > _IMAGE_BYTES:
        return Shown(text, f"<em>a picture of {len(data):,} bytes, too large to keep here</em>")
    encoded = base64.b64encode(data).decode()
    return Shown(text, f'<img alt="{escape(text)}" src="data:{mime};base64,{encoded}">')


def _cell(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= _CELL_LETTERS else f"{text[: _CELL_LETTERS - 1]}…"


def _table_html(names: list[str], rows: list[list[str]], caption: str) -> str:
    head = "".join(f"<th {_CELL}>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr>{''.join(f'<td {_CELL}>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table>{f'<tr>{head}</tr>' if names else ''}{body}</table>{escape(caption)}"


_KINDS: Final[tuple[tuple[Callable[[object], bool], Callable[[Any], Shown]], ...]] = (
    (_is_table, _table),
    (_is_series, lambda value: _table(value.to_frame())),
    (_is_figure, _figure),
    (_is_picture, _drawn),
    (_is_array, _array),
)
