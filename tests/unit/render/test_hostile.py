"""What a model, a tool or a file says is shown as text, whole pages stay in shape, nothing runs."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import pytest

from cellvoice.render import TURN_MIME, bundle, frozen, html, text

from .conftest import SampleCall, SampleSpan, probabilities
from .test_html import read

CONTRACT = Path(__file__).parents[2] / "contract"
MARKUP = "</pre></details></div><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;"
ANSI = "\x1b[2J\x1b[31mred\x07\x9b0m\x00"
BIDI = "left \u202e right \u2066 inner \u200f"
MEGABYTE = "x" * 1_000_000


@pytest.fixture
def hostile_turn(full_turn: Any) -> Any:
    """A turn in which everything that comes from outside is markup."""
    reply = full_turn.reply
    reply.transcript = reply.fingerprint = reply.model = MARKUP
    reply.engine = {"badge": MARKUP, "voice": MARKUP, "ear": MARKUP, "heard": MARKUP}
    reply.logprobs = probabilities()
    reply.logprobs.append(
        json.dumps(
            {
                "content": [
                    {
                        "token": MARKUP,
                        "logprob": -1.0,
                        "top_logprobs": [{"token": MARKUP * 2, "logprob": -2.0}],
                    }
                ]
            }
        ).encode()
    )
    full_turn.input = (MARKUP, *full_turn.input)
    full_turn.voice = full_turn.model = full_turn.request_id = full_turn.cost_note = MARKUP
    full_turn.notices = [MARKUP]
    full_turn.error = ValueError(MARKUP)
    full_turn.parsed = {MARKUP: [MARKUP]}
    full_turn.tool_calls = (
        SampleCall(name=MARKUP, arguments={MARKUP: MARKUP}, result_text=MARKUP, hash=MARKUP),
        SampleCall(
            id=MARKUP,
            is_object=False,
            arguments_text=MARKUP,
            error=MARKUP,
            state=MARKUP,
        ),
    )
    full_turn.trace = (SampleSpan("tool", 0, 1, name=MARKUP),)
    return full_turn


def test_markup_from_anywhere_is_shown_and_never_obeyed(hostile_turn: Any) -> None:
    reader = read(html(frozen(hostile_turn, href=MARKUP), sound_src=MARKUP, said_srcs=[MARKUP]))
    assert reader.lost == []
    assert "<script>" not in html(frozen(hostile_turn))
    assert "".join(reader.texts).count(MARKUP) >= 12
    assert all("onerror" not in source or source == MARKUP for source in reader.sources)


def test_a_tool_s_name_in_the_strip_is_text_and_not_longer_than_a_row(hostile_turn: Any) -> None:
    hostile_turn.trace = (SampleSpan("tool", 0, 1, name=f"</span>{MARKUP}"),)
    page = html(frozen(hostile_turn))
    assert f"<bdi>{escape(f'</span>{MARKUP}'[:40], quote=False)}</bdi>" in page
    assert read(page).lost == []


def test_a_terminal_s_commands_are_shown_as_signs(make_turn: Any) -> None:
    made = bundle(make_turn(0.1, text=ANSI, input=(ANSI,), voice=ANSI, notices=[ANSI]))
    for face in (str(made["text/html"]), str(made["text/plain"])):
        assert not any(sign in face for sign in "\x1b\x07\x9b\x00")
        assert "␛[31mred␇" in face
    assert made[TURN_MIME]["reply"]["text"] == ANSI  # type: ignore[index]


def test_a_change_of_direction_ends_with_the_text_that_makes_it(make_turn: Any) -> None:
    turn = make_turn(0.1, text=BIDI, input=(BIDI,), voice=BIDI, notices=[BIDI], cost_note=BIDI)
    page = html(frozen(turn), sound_src="x.mp3")
    for place in range(len(page)):
        if page.startswith(BIDI, place):
            opened = page[:place].rpartition("<")[2]
            inside = opened.startswith("bdi>") or 'dir="auto"' in opened
            assert inside, page[place - 200 : place + 60]
    plain = text(frozen(turn))
    assert "\u202e" not in plain and "\u2066" not in plain
    assert "left ⟨U+202E⟩ right" in plain
    assert "\u200f" in plain  # a mark that belongs to right-to-left writing


def test_a_megabyte_without_a_space_is_cut_and_wraps(full_turn: Any) -> None:
    full_turn.reply.transcript = full_turn.voice = MEGABYTE
    full_turn.input, full_turn.notices = (MEGABYTE,), [MEGABYTE]
    full_turn.tool_calls = (SampleCall(name=MEGABYTE, result_text=MEGABYTE),)
    full_turn.parsed = {MEGABYTE: MEGABYTE}
    made = bundle(full_turn)
    page, plain = str(made["text/html"]), str(made["text/plain"])
    assert len(page) < 400_000 and len(plain) < 200_000
    assert "980,000 more letters" in page and "980,000 more letters" in plain
    assert made[TURN_MIME]["reply"]["text"] == MEGABYTE  # type: ignore[index]
    assert read(page).lost == []


def test_times_and_counts_that_can_not_be_leave_a_card(full_turn: Any) -> None:
    full_turn.reply.expires_at = 10**30
    full_turn.reply.engine = {"words": [[0, 10**30, 1e308, 1e309]]}
    assert "degrees" in html(frozen(full_turn))


@pytest.mark.parametrize("name", ["turn.v1.json", "turn.v1.full.json"])
def test_cards_of_all_releases_are_shown(name: str) -> None:
    card = json.loads((CONTRACT / name).read_text(encoding="utf-8"))
    reader = read(html(card, sound_src="data:audio/mpeg;base64,AAAA"))
    assert reader.lost == []
    assert card["reply"]["text"] in "".join(reader.texts)
    assert card["reply"]["text"] in text(card)


def test_a_reader_without_script_finds_everything(full_turn: Any) -> None:
    words = " ".join(read(html(frozen(full_turn), sound_src="x.mp3")).texts)
    for expected in (
        "probabilities of 3 tokens",
        "perplexity 1.28",
        "␣a",
        "1 tool call",
        "temperature",
        "0.58 s",
        '"city": "Zürich"',
        "object",
        "⟨wav 4.2 s⟩",
        "answers repeated",
        "1 as sound, 0 in words",
        "fp_1",
        "first byte",
        "version 2 of 2",
    ):
        assert expected in words


def test_only_the_first_200_tokens_are_on_the_static_card(full_turn: Any) -> None:
    full_turn.reply.logprobs = probabilities(1_000)
    page = html(frozen(full_turn))
    assert page.count("<tr><td>") == 200
    assert "800 more tokens are not shown here" in page


def test_text_reads_well_on_its_own(full_turn: Any) -> None:
    assert text(frozen(full_turn)).splitlines() == [
        "You: What is it in Zürich? [sound 4.20 s, heard “what is the capital of france”]",
        'Tool temperature({"city": "Zürich"}) → 18, 0.58 s',
        "alloy: In Zürich it is 18 degrees.",
        "Choice 2: It is 18 degrees.",
        "Choice 3: No.",
        'Object: {"city": "Zürich", "degrees": 18}',
        "[embedded engine, not gpt-audio · stale · version 2 of 2 · first sound 0.19 s · "
        "0.23 s in all · 66 tokens · $0.0034 · perplexity 1.28]",
    ]
