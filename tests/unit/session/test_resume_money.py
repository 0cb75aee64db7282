"""What a resumed session still knows of money and of the session that it branched from."""

from __future__ import annotations

import pytest

from cellvoice.errors import BudgetExceeded
from cellvoice.protocol import NoiseGuard

from .conftest import MakeSession, Resume
from .rig import Service, recorded


def test_what_was_paid_counts_against_the_budget_after_a_resume(
    make_session: MakeSession, resume: Resume
) -> None:
    session = make_session(Service(recorded()), budget=1.0)
    session.say("Say hello.")
    cost, parts = session.cost, session.cost.parts
    again = resume(session)
    assert cost > 0
    assert (again.budget, float(again.cost)) == (1.0, pytest.approx(float(cost)))
    assert again.cost.parts == parts
    assert again.remaining_usd == pytest.approx(1.0 - float(cost))
    again.budget = float(cost)
    with pytest.raises(BudgetExceeded, match="would cross the budget"):
        again.say("And now?")


def test_a_budget_that_is_given_replaces_the_one_that_was_kept(
    make_session: MakeSession, resume: Resume
) -> None:
    session = make_session(Service(recorded()), budget=1.0)
    session.say("Say hello.")
    assert resume(session, budget=2.0).budget == 2.0


@pytest.mark.parametrize(("guard", "kept"), [(False, None), (12.0, NoiseGuard(12.0))])
def test_the_guard_is_kept(
    make_session: MakeSession, resume: Resume, guard: bool | float, kept: NoiseGuard | None
) -> None:
    session = make_session(Service(recorded()), guard=guard)
    session.say("Say hello.")
    assert resume(session)._asking.settings.guard == kept


def test_a_branch_can_be_merged_after_both_were_resumed(
    make_session: MakeSession, resume: Resume
) -> None:
    session = make_session(Service(recorded()))
    for text in ("one", "two", "three"):
        session.say(text)
    branch = session.fork(at=2)
    branch.undo()
    branch.say("another two")
    branch.say("another three")
    home, again = resume(session), resume(branch)
    assert [turn.input for turn in home.merge(again)] == [("another two",), ("another three",)]
    assert home.merge(again) == ()
    assert float(again.cost) == pytest.approx(float(again[-1].cost) * 2)


def test_a_branch_has_a_budget_and_a_name_of_its_own(make_session: MakeSession) -> None:
    session = make_session(Service(recorded()), budget=0.5)
    session.say("Say hello.")
    branch = session.fork(budget=0.25, name="winter")
    assert (branch.budget, branch.remaining_usd, branch.name) == (0.25, 0.25, "winter")
    assert session.fork().budget == 0.5
