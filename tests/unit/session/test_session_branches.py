"""Taking back, asking again, branching and joining a conversation."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from cellvoice.errors import CellvoiceError, UsageError
from cellvoice.session import Session, Turns, compare

from .cells import Cells, asked, cells
from .conftest import MakeSession
from .rig import SHORTEST_EXPIRES_AT, Hold, Reply, Service, recorded, refusal, speech

__all__ = ["cells"]  # a fixture

FAILED = refusal(500, message="The server had an error.", type="server_error")


@pytest.fixture
def service() -> Service:
    return Service(recorded())


@pytest.fixture
def session(make_session: MakeSession, service: Service) -> Session:
    found = make_session(service, max_retries=0)
    for question in ("one", "two", "three"):
        found.say(question)
    return found


def questions(service: Service) -> list[Any]:
    """What the user says in the newest request."""
    messages = service.asked[-1].body["messages"]
    return [message["content"] for message in messages if message["role"] == "user"]


def test_turns_are_a_sequence_from_zero(session: Session) -> None:
    assert isinstance(session.turns, Turns) and len(session.turns) == 3
    assert session[2] is session.turns[2] and session[-1] is session.turns[-1]
    assert isinstance(session[1:3], Turns) and session[1:3] == tuple(session.turns)[1:]
    assert [turn.input[0] for turn in session] == ["one", "two", "three"]
    with pytest.raises(IndexError):
        session[3]


def test_a_session_without_turns_is_not_false(make_session: MakeSession, service: Service) -> None:
    assert make_session(service) and repr(make_session(service).turns) == "<Turns: none yet>"


def test_undo_takes_the_last_turns_back(session: Session, service: Service) -> None:
    back = session.undo(2)
    assert [turn.input[0] for turn in back] == ["two", "three"] and asked(session) == ["one"]
    session.say("two, better")
    assert questions(service) == ["one", "two, better"]
    assert not session.turns[1].stale and session.turns[1].number == 2


@pytest.mark.parametrize("count", [0, -1, 4, 1.0, True, "1"])
def test_undo_refuses_turns_that_there_are_not(session: Session, count: Any) -> None:
    with pytest.raises(UsageError, match="from 1 to 3"):
        session.undo(count)
    assert len(session.turns) == 3


def test_an_edit_is_asked_in_place_and_makes_later_turns_stale(
    session: Session, service: Service
) -> None:
    old = session[1]
    new = session.edit(old, "two, better", temperature=0.9)
    assert questions(service) == ["one", "two, better"]
    assert service.asked[-1].body["temperature"] == 0.9
    assert session[1] is new and new.versions == (old,)
    assert [turn.stale for turn in session] == [False, False, True]
    assert session.edit(0, "uno").number == 1


def test_an_edit_keeps_the_settings_that_the_turn_was_asked_with(
    session: Session, service: Service
) -> None:
    turn = session.say("four", voice="cedar", seed=4)
    session.voice = "marin"
    session.regenerate(turn)
    assert service.asked[-1].body["audio"]["voice"] == "cedar"
    assert service.asked[-1].body["seed"] == 4


def test_regenerate_asks_the_same_again(session: Session, service: Service) -> None:
    old = session[-1]
    new = session.regenerate()
    assert questions(service) == ["one", "two", "three"]
    assert (new.input, new.versions, new.version) == (old.input, (old,), (2, 2))


async def test_the_async_twins_do_the_same(session: Session) -> None:
    await session.aedit(0, "uno")
    await session.aregenerate(1)
    assert [turn.stale for turn in session] == [False, False, True]
    assert [turn.input[0] for turn in await session.arefresh()] == ["three"]
    assert not any(turn.stale for turn in session)


def test_refresh_ends_at_the_first_that_fails_and_keeps_what_stood(
    make_session: MakeSession,
) -> None:
    service = Service(*[recorded() for _ in range(4)], FAILED, recorded())
    session = make_session(service, max_retries=0)
    for question in ("one", "two", "three"):
        session.say(question)
    session.edit(0, "uno")
    with pytest.raises(CellvoiceError) as caught:
        session.refresh()
    assert caught.value.turn is not None and caught.value.turn.input == ("two",)
    assert [turn.stale for turn in session] == [False, True, True] and len(service.asked) == 5
    session.refresh()
    assert [turn.stale for turn in session] == [False, False, False] and len(service.asked) == 7


def test_what_was_taken_back_cannot_be_edited(session: Session) -> None:
    (gone,) = session.undo()
    with pytest.raises(UsageError, match="not in this conversation"):
        session.edit(gone, "again")
    with pytest.raises(UsageError, match="no turn 7"):
        session.regenerate(7)


def test_clear_begins_anew_with_the_same_settings(session: Session, service: Service) -> None:
    session.system = "Be brief."
    assert len(session.clear()) == 3 and session.turns == ()
    session.say("first")
    assert service.asked[-1].body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "first"},
    ]


def test_a_branch_shares_the_first_turns_and_goes_its_own_way(
    session: Session, service: Service
) -> None:
    with session.fork(at=2, voice="marin", temperature=0.5) as branch:
        assert branch.turns == session.turns[:2] and branch.id != session.id
        assert [turn.session for turn in branch] == [branch, branch]
        branch.say("three, otherwise")
        assert questions(service) == ["one", "two", "three, otherwise"]
        assert service.asked[-1].body["audio"]["voice"] == "marin"
        assert asked(session) == ["one", "two", "three"] and session.voice == "alloy"
        branch.edit(0, "uno")
        assert [turn.stale for turn in branch] == [False, True, True]
        assert not any(turn.stale for turn in session)


def test_a_branch_does_not_count_again_what_its_shared_turns_cost(session: Session) -> None:
    with session.fork(at=2) as branch:
        assert branch.cost == 0.0 and branch.usage.total_tokens == 0
        assert float(branch.say("more").cost) == pytest.approx(float(branch.cost))


def test_a_branch_writes_a_journal_of_its_own_with_the_shared_turns(session: Session) -> None:
    with session.fork(at=2) as branch:
        branch.say("more")
        folder = branch.journal_folder
    assert folder is not None and session.journal_folder is not None
    assert folder.parent == session.journal_folder.parent and folder != session.journal_folder
    lines = [json.loads(line) for line in (folder / "turns.jsonl").open()]
    ids = [line["id"] for line in lines if line["kind"] == "ended"]
    assert ids == [turn.id for turn in branch]
    with session.fork(journal=False) as silent:
        assert silent.journal_folder is None


@pytest.mark.parametrize("at", [-1, 4, "2", True])
def test_a_fork_needs_turns_that_there_are(session: Session, at: Any) -> None:
    with pytest.raises(UsageError, match="from 0 to 3"):
        session.fork(at=at)


def test_a_turn_that_runs_cannot_be_shared_yet(make_session: MakeSession) -> None:
    hold = Hold()
    session = make_session(Service(Reply([hold])))
    session.start_turn("one")
    hold.wait_until_reached()
    with pytest.raises(UsageError, match="still runs"):
        session.fork()
    with session.fork(at=0) as branch:
        assert branch.turns == ()


def test_merging_a_branch_appends_what_came_after_the_fork(session: Session) -> None:
    with session.fork(at=3) as branch:
        branch.say("four")
        branch.say("five")
        assert [turn.input[0] for turn in session.merge(branch)] == ["four", "five"]
        assert asked(session) == ["one", "two", "three", "four", "five"]
        assert not any(turn.stale for turn in session), "nothing was asked here meanwhile"
        assert session.merge(branch) == () and len(session.turns) == 5
        assert session[3].session is session and branch[3].session is branch


def test_what_is_merged_after_other_turns_is_stale(session: Session, service: Service) -> None:
    with session.fork(at=2) as branch:
        branch.say("other three")
        session.merge(branch)
    assert [turn.stale for turn in session] == [False, False, False, True]
    session.refresh()
    assert questions(service) == ["one", "two", "three", "other three"]


def test_only_a_branch_of_this_session_can_be_merged(
    session: Session, make_session: MakeSession, service: Service
) -> None:
    with pytest.raises(UsageError, match="only a branch"):
        session.merge(make_session(service))


def test_merging_in_a_cell_that_runs_again_does_not_double_the_turns(
    make_session: MakeSession, cells: Cells, service: Service
) -> None:
    session = make_session(service)
    for _ in range(2):
        with cells.run("a"):
            session.say("one")
        with cells.run("b"):
            branch = session.fork(at=1)
            branch.say("two")
        with cells.run("c"):
            session.merge(branch)
    assert asked(session) == ["one", "two"] and len(session[1].versions) == 1


def test_the_conversation_shows_itself_with_its_marks(session: Session) -> None:
    session.edit(1, "two <better>")
    session.system = "Be brief."
    session.say("four")
    lines = repr(session.turns).splitlines()
    assert lines[1] == "2. two <better> → Hello (version 2 of 2)"
    assert lines[2] == "3. three → Hello (stale)"
    page = session.turns._repr_html_()
    assert "two &lt;better&gt;" in page and "stale" in page and "version 2 of 2" in page
    assert page.index("three") < page.index("system: Be brief.") < page.index("four")
    assert "<script" not in page and "<style" not in page


def test_the_conversation_is_a_table_for_pandas(session: Session) -> None:
    session.edit(0, "uno")
    table = session.turns.to_dataframe()
    assert list(table["input"]) == ["uno", "two", "three"]
    assert list(table["stale"]) == [False, True, True]
    assert list(table["versions"]) == [1, 0, 0]
    assert table["cost_usd"].sum() > 0 and set(table["finish"]) == {"complete"}


def test_without_pandas_the_table_says_what_to_do(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        session.turns.to_dataframe()


def test_two_turns_are_compared_word_by_word(make_session: MakeSession) -> None:
    later = SHORTEST_EXPIRES_AT
    service = Service(
        speech("audio_1", "Paris is the capital.", later, 0.5),
        speech("audio_2", "Paris is <the> big capital.", later, 0.25),
    )
    session = make_session(service)
    one, two = session.say("one"), session.say("two")
    comparison = compare(one, two)
    assert "[-the-] {+<the> big+}" in repr(comparison)
    (row,) = comparison.to_dataframe().to_dict("records")
    assert (row["a_reply_s"], row["b_reply_s"]) == (0.5, 0.25) and 0 < row["similarity"] < 1
    assert comparison.cost == (one.cost, two.cost)
    page = comparison._repr_html_()
    assert page.count('<audio controls preload="metadata" src="data:audio/mpeg;base64,') == 2
    assert "&lt;the&gt; big</ins>" in page and "the</del>" in page and "<script" not in page


def test_two_branches_are_compared_after_what_they_share(session: Session) -> None:
    with session.fork(at=2) as branch:
        comparison = compare(session, branch)
        assert comparison.shared == 2 and comparison.pairs == ((session[2], None),)
        branch.say("three, otherwise")
        branch.say("four")
        comparison = compare(session, branch)
    assert comparison.pairs == ((session[2], branch[2]), (None, branch[3]))
    assert repr(comparison).startswith("2 shared turns\na: turn 3, alloy")
    assert compare(session, session).pairs == ()


def test_a_turn_is_not_compared_to_a_session(session: Session) -> None:
    with pytest.raises(UsageError, match="two turns or two sessions"):
        compare(session, session[0])
    with pytest.raises(UsageError, match="cannot compare a str"):
        compare(session, "x")  # type: ignore[arg-type]


def test_the_journal_knows_which_turns_stand(session: Session) -> None:
    old = session[1]
    session.edit(1, "two, better")
    (gone,) = session.undo()
    assert session._asking.places.outline().order == tuple(turn.id for turn in session)
    assert session._asking.places.outline().versions == {session[1].id: (old.id,)}
    assert session._asking.places.outline().dropped == (gone.id,)
