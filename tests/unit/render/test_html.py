"""The static twin: what JupyterLab's sanitizer lets through, and hostile text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from cellvoice.protocol import Reply
from cellvoice.render import bundle, conversation_html, frozen, html, sentence_html

# The part of JupyterLab's allow-list that a card may use (apputils/src/sanitizer.ts): an element or
# attribute outside of it would vanish in an untrusted notebook.
TAGS = {
    "a",
    "audio",
    "b",
    "bdi",
    "details",
    "div",
    "img",
    "pre",
    "span",
    "summary",
    "table",
    "td",
    "th",
    "tr",
}
ATTRIBUTES = {
    "*": {"class", "dir", "style", "title"},
    "img": {"alt", "height", "src", "width"},
    "audio": {"controls", "preload", "src"},
    "table": {"cellpadding"},
    "a": {"href"},
    "details": {"open"},
}
LENGTH = r"(0|-?\d+(\.\d+)?(px|em|%))"
# No `currentColor`, `inherit` or `var()`: its grammar of colours knows none of them.
COLOR = r"(transparent|#[0-9a-f]{3}|#[0-9a-f]{6}|rgba\(\d+,\d+,\d+,[01]?(\.\d+)?\))"
STYLES = {
    "box-sizing": r"border-box",
    "max-width": LENGTH,
    "min-width": LENGTH,
    "width": LENGTH,
    "height": LENGTH,
    "margin": rf"{LENGTH}( {LENGTH}){{0,3}}",
    "margin-top": LENGTH,
    "padding": rf"{LENGTH}( {LENGTH}){{0,3}}",
    "border": rf"(none|{LENGTH} solid {COLOR})",
    "border-left": rf"{LENGTH} solid {COLOR}",
    "border-radius": LENGTH,
    "border-collapse": r"collapse",
    "background": COLOR,
    "background-color": COLOR,
    "color": COLOR,
    "font-size": LENGTH,
    "font-weight": r"\d00",
    "line-height": r"\d(\.\d+)?",
    "opacity": r"0?\.\d+|1",
    "display": r"block|inline-block|flex",
    "flex": r"1",
    "flex-wrap": r"wrap",
    "gap": LENGTH,
    "align-items": r"center",
    "justify-content": r"space-between",
    "white-space": r"pre-wrap|nowrap",
    "overflow-wrap": r"break-word",
    "overflow": r"auto",
    "max-height": LENGTH,
    "vertical-align": r"top|middle",
    "text-align": r"left|right",
    "cursor": r"pointer",
}
VOID = {"img"}


class AllowList(HTMLParser):
    """Reads a page and notes what JupyterLab would take away."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lost: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.lost.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set()):
                self.lost.append(f"<{tag} {name}>")
            if name == "style":
                self.lost += lost_styles(value or "")
            if name == "src":
                self.sources.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.lost.append(f"</{tag}> in the wrong place")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def lost_styles(style: str) -> list[str]:
    lost = []
    for declaration in filter(None, style.split(";")):
        name, _, value = declaration.partition(":")
        allowed = STYLES.get(name)
        if allowed is None or not re.fullmatch(allowed, value, re.IGNORECASE):
            lost.append(declaration)
    return lost


def read(page: str) -> AllowList:
    reader = AllowList()
    reader.feed(page)
    reader.close()
    assert reader.open == [], "every element is closed"
    return reader


def test_a_whole_card_survives_the_sanitizer(spoken_turn: Any) -> None:
    page = str(bundle(spoken_turn)["text/html"])
    assert read(page).lost == []


@pytest.mark.parametrize("finish", [None, "stopped", "cut", "length", "filtered", "failed"])
def test_every_state_survives_the_sanitizer(finish: str | None, make_turn: Any) -> None:
    turn = make_turn(finish=finish, notices=["A notice."], error=ValueError("An error."))
    assert read(html(frozen(turn, href="a b_audio/x.mp3"), sound_src="x.mp3")).lost == []


def test_sentences_and_conversations_survive_the_sanitizer() -> None:
    assert read(sentence_html("a < b")).lost == []
    assert read(conversation_html(["<div>1</div>"], badge="engine", sentence="Talk.")).lost == []


def test_the_allow_list_of_these_tests_takes_things_away() -> None:
    page = '<div style="color:currentColor" onclick="x()"><script>x()</script></div>'
    assert read(page).lost == ["color:currentColor", "<div onclick>", "<script>"]


HOSTILE = "</div><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;\u202e"


def test_hostile_text_is_shown_and_never_obeyed(make_turn: Any) -> None:
    turn = make_turn(
        text=HOSTILE,
        input=(HOSTILE,),
        voice=HOSTILE,
        model=HOSTILE,
        request_id=HOSTILE,
        cost_note=HOSTILE,
        notices=[HOSTILE],
        error=ValueError(HOSTILE),
        finish="failed",
    )
    turn.reply.model = HOSTILE
    turn.reply.refusal = HOSTILE
    turn.reply.engine = {"badge": HOSTILE, "voice": HOSTILE, "heard": HOSTILE}
    reader = read(html(frozen(turn, href=HOSTILE), sound_src=HOSTILE))
    assert reader.lost == []
    shown = "".join(reader.texts)
    assert shown.count(HOSTILE) >= 8


def test_what_the_engine_heard_in_hostile_sound_is_escaped(
    make_turn: Any, spoken_turn: Any
) -> None:
    spoken_turn.reply.engine = {"heard": HOSTILE}
    reader = read(html(frozen(spoken_turn)))
    assert reader.lost == []
    assert f"heard: “{HOSTILE}”" in reader.texts


def test_a_reader_finds_said_answer_badge_and_facts(spoken_turn: Any) -> None:
    words = " ".join(read(str(bundle(spoken_turn)["text/html"])).texts)
    for expected in (
        "Please answer:",
        "what is the capital of france",
        "The capital of France is Paris.",
        "embedded engine, not gpt-audio",
        "first sound 0.19 s",
        "66 tokens",
        "$0",
        "voice espeak-ng, ear pocketsphinx",
    ):
        assert expected in words


def test_waveforms_are_pictures_with_a_name(spoken_turn: Any) -> None:
    reader = read(html(frozen(spoken_turn), sound_src="x.mp3"))
    assert [source[:18] for source in reader.sources].count("data:image/svg+xml") == 2


def test_the_real_service_has_no_badge(make_turn: Any) -> None:
    turn = make_turn(0, text="Paris.")
    turn.reply = Reply(content="Paris.", model="gpt-audio")
    assert "engine" not in " ".join(read(html(frozen(turn))).texts)


@pytest.mark.parametrize("name", ["gpt-audio", "api.openai.com", "max_completion_tokens=5"])
def test_a_sentence_that_begins_with_a_name_keeps_its_spelling(make_turn: Any, name: str) -> None:
    card = frozen(make_turn(notices=[f"{name} is a name", "a word is a word"]))
    words = read(html(card)).texts
    assert f"{name} is a name." in words
    assert "A word is a word." in words
