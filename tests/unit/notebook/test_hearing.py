"""Who can be heard while a cell runs: every row of the measured table."""

from __future__ import annotations

import pytest

from cellvoice.notebook._frontend import KernelFacts, RequestFacts, hearing

LAB = RequestFacts({"cellId": "a"}, has_subshell_key=True)
OLD_LAB = RequestFacts({"cellId": "a"}, has_subshell_key=False)
NBCLIENT = RequestFacts({}, has_subshell_key=False)
CLASSIC = RequestFacts({"deletedCells": []}, has_subshell_key=False)


def kernel(*version: int) -> KernelFacts:
    return KernelFacts(version, subshells=version >= (7,))


@pytest.mark.parametrize("version", [(6, 31, 0), (7, 0, 1), (7, 3, 1), (7, 4, 0)])
def test_nbclient_has_no_page_whatever_the_kernel(version: tuple[int, ...]) -> None:
    found = hearing(kernel(*version), NBCLIENT)
    assert (found.page, found.blocking, found.awaiting) == (False, False, False)


def test_without_a_kernel_there_is_no_page() -> None:
    assert not hearing(None, LAB).page
    assert not hearing(kernel(7, 4, 0), None).page


@pytest.mark.parametrize("version", [(7, 1, 0), (7, 2, 0), (7, 3, 1), (7, 4, 0), (8, 0, 0)])
def test_subshells_on_both_sides_are_heard_by_every_call(version: tuple[int, ...]) -> None:
    found = hearing(kernel(*version), LAB)
    assert (found.page, found.blocking, found.awaiting, found.reason) == (True, True, True, "")


@pytest.mark.parametrize("request_facts", [LAB, OLD_LAB, CLASSIC])
@pytest.mark.parametrize("version", [(6, 29, 5), (6, 31, 0)])
def test_an_old_kernel_is_heard_by_none(
    version: tuple[int, ...], request_facts: RequestFacts
) -> None:
    found = hearing(kernel(*version), request_facts)
    assert (found.page, found.blocking, found.awaiting) == (True, False, False)
    assert f"ipykernel {version[0]}.{version[1]}" in found.reason
    assert "install ipykernel 7.1 or newer" in found.reason


def test_a_kernel_that_can_hang_is_refused_for_waiting() -> None:
    found = hearing(kernel(7, 0, 1), LAB)
    assert (found.page, found.blocking, found.awaiting) == (True, False, False)
    assert "can hang" in found.reason
    assert "can hang" in found.warning, "the pad shows it, too"


@pytest.mark.parametrize("request_facts", [OLD_LAB, CLASSIC])
def test_an_old_front_end_is_heard_by_awaiting_calls_from_7_4_on(
    request_facts: RequestFacts,
) -> None:
    found = hearing(kernel(7, 4, 0), request_facts)
    assert (found.blocking, found.awaiting) == (False, True)
    assert "await session.alisten()" in found.reason


def test_an_old_front_end_with_7_3_is_heard_by_none() -> None:
    found = hearing(kernel(7, 3, 1), OLD_LAB)
    assert (found.page, found.blocking, found.awaiting) == (True, False, False)
    assert "JupyterLab 4.4" in found.reason


def test_a_kernel_with_subshells_switched_off_is_taken_at_its_word() -> None:
    assert not hearing(KernelFacts((7, 3, 0), subshells=False), LAB).blocking
