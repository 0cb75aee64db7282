"""The requests of a turn: asked, answered by calls, their results sent back, until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from cellvoice.protocol import Schema, facts
from cellvoice.session._outcome import finish_of
from cellvoice.session._parsing import read_object

from .calls import ToolCall

if TYPE_CHECKING:
    from cellvoice.session.turn import Turn

    from .running import Runner

__all__ = ["ToolLoop", "round_params"]


class ToolLoop:
    """Leads one turn from request to request. Loop thread only."""

    def __init__(self, turn: Turn, runner: Runner, now_s: Callable[[], float]) -> None:
        self._turn = turn
        self._runner = runner
        self._now_s = now_s
        self._rounds_with_calls = 0
        self._repairs = 0

    async def run(self, receive: Callable[[], Awaitable[bool]]) -> None:
        """Ask until the model has answered; `receive` asks once, and tells whether all of it came.

        Raises what `receive` raises. Cancelled, the calls that run end as stopped.
        """
        turn, whole = self._turn, False
        while True:
            try:
                whole = await receive()
            finally:
                if not whole or finish_of(turn._answer, _params(turn), turn.model) != "complete":
                    # Refused, filtered or cut: what it asked for is not whole or not meant.
                    whole = False
                    self._drop_calls()
            correction = await self._answered(turn) if whole else None
            if correction is None:
                return
            turn._next_round(correction)

    def _drop_calls(self) -> None:
        for call in self._calls():
            self._runner.drop(call, "not run: the reply did not come to its end")

    async def _answered(self, turn: Turn) -> str | None:
        """Do what the newest reply asks for. None ends the turn; else what corrects it, or ""."""
        calls = self._calls()
        schema = turn._settings.params.get("schema")
        if not calls:
            return self._object_repair(turn, schema)
        own = [call for call in calls if _gives_object(call, schema, turn)]
        if own and isinstance(schema, Schema):
            return await self._object_given(own[0], calls, schema)
        if turn._no_more_calls:
            for call in calls:
                self._runner.refuse(call, _limit(turn))
            turn._note(
                f"the model went on calling tools although it was told not to: {_limit(turn)}"
            )
            return None
        if not turn._settings.kit.tools or any(map(self._is_for_the_caller, calls)):
            return None
        await self._run_all(calls)
        self._count_round(turn)
        return ""

    def _calls(self) -> list[ToolCall]:
        """The calls of the newest reply, each with an id of its own."""
        turn, found = self._turn, []
        used = {call.id for call in turn._calls}
        number = len(turn._rounds) + 1
        for at, one in enumerate(turn._answer.tool_calls, 1):
            name = one.call_id if one.call_id and one.call_id not in used else ""
            name = name or f"call_{number}_{at}"
            used.add(name)
            found.append(
                ToolCall(name, one.name, one.arguments, in_round=number, asked_s=self._now_s())
            )
        turn._add_calls(found)
        return found

    def _is_for_the_caller(self, call: ToolCall) -> bool:
        """Whether the caller declared it in the service's form, to answer it without us."""
        turn = self._turn
        declared = turn._settings.params.get("tools")
        names = [_declared_name(one) for one in declared] if isinstance(declared, list) else []
        return call.name in names and turn._settings.kit.named(call.name) is None

    async def _run_all(self, calls: list[ToolCall]) -> None:
        """Run them at the same time; give back what can be repaired, a bounded number of times."""
        fits = await asyncio.gather(*(self._run_one(call) for call in calls))
        if not all(fits):
            self._repairs += 1

    async def _run_one(self, call: ToolCall) -> bool:
        kit = self._turn._settings.kit
        tool = kit.named(call.name)
        if tool is not None:
            return await self._runner.run(call, tool)
        known = ", ".join(one.name for one in kit.tools) or "none"
        self._runner.refuse(call, f"there is no tool {call.name!r}; there are: {known}")
        return False

    def _count_round(self, turn: Turn) -> None:
        """After the last round that may call, the model must answer with what it has."""
        kit = turn._settings.kit
        self._rounds_with_calls += 1
        if self._rounds_with_calls >= kit.max_tool_rounds:
            turn._no_more_calls = True
            turn._note(f"{_limit(turn)}; the model was asked to answer with what it has")
        elif self._repairs > kit.max_repairs:
            turn._no_more_calls = True
            turn._note(
                f"the model called tools wrongly more than max_repairs={kit.max_repairs} times; it "
                "was asked to answer without them"
            )

    async def _object_given(
        self, own: ToolCall, calls: list[ToolCall], schema: Schema
    ) -> str | None:
        """The model gave the object by calling: keep it, or give it back to be repaired."""
        turn = self._turn
        others = [call for call in calls if call is not own]
        parsed = read_object(own.arguments_text, schema)
        if not parsed.error:
            turn._take_object(parsed)
            for call in others:
                self._runner.refuse(call, "not run: the object was given in the same answer")
            own.state, own.ended_s = "done", self._now_s()
            own.result_text, own.result = own.arguments_text, parsed.value
            turn._tools_changed()
            if not turn._settings.kit.speak:
                return None
            turn._no_more_calls = True
            return ""
        turn._take_object(parsed)
        self._runner.refuse(own, f"{parsed.error}; call {own.name} again with all of it")
        for call in others:
            self._runner.refuse(call, "not run: the object in the same answer did not fit")
        return self._again(f"{own.name}: {parsed.error}")

    def _object_repair(self, turn: Turn, schema: object) -> str | None:
        """A written answer that is to be an object: None if it is one, or nothing can be done."""
        if not isinstance(schema, Schema) or turn._no_more_calls or not turn._answer.text.strip():
            return None
        parsed = read_object(turn._answer.text, schema)
        turn._take_object(parsed)
        if not parsed.error:
            return None
        wanted = (
            f"That is no {schema.name}: {parsed.error}. Give the whole object again, corrected."
        )
        return None if self._again(parsed.error) is None else wanted

    def _again(self, error: str) -> str | None:
        """Whether it may be tried once more."""
        self._repairs += 1
        limit = self._turn._settings.kit.max_repairs
        if self._repairs > limit:
            return None
        self._turn._note(f"the model's object did not fit and was given back to it ({error[:200]})")
        return ""


def round_params(turn: Turn, params: Mapping[str, object]) -> dict[str, object]:
    """The parameters of a turn's next request: the same, but for what its rounds change."""
    found = dict(params)
    schema = found.get("schema")
    if turn._settings.kit.speak and isinstance(schema, Schema):
        # The object by a forced call, whatever else the model could give it by.
        tools = found.get("tools")
        given = list(tools) if isinstance(tools, list) else []
        del found["schema"]
        found["tools"] = [*given, schema.as_tool()]
        found.setdefault("tool_choice", "required" if given else schema.name)
    elif turn._rounds and _forces(found.get("tool_choice")):
        # It was called. What holds on to it would have it called for ever.
        del found["tool_choice"]
    if turn._no_more_calls:
        if _by_call(turn._settings.model):
            found.pop("schema", None)  # asking for it would be asking for a call
        if found.get("tools"):
            found["tool_choice"] = "none"
    return found


def _forces(choice: object) -> bool:
    if isinstance(choice, str):
        return choice not in ("auto", "none")
    return isinstance(choice, Mapping) and choice.get("type") != "allowed_tools"


def _gives_object(call: ToolCall, schema: object, turn: Turn) -> bool:
    if not isinstance(schema, Schema) or turn._no_more_calls:
        return False
    return call.name == schema.name and turn._settings.kit.named(call.name) is None


def _by_call(model: str) -> bool:
    """Whether a model gives an object by calling a function, having no other way."""
    known = facts(model)
    return known is not None and "response_format" in known.refused


def _declared_name(definition: object) -> object:
    if not isinstance(definition, Mapping):
        return None
    inner = definition.get(str(definition.get("type")))
    return inner.get("name") if isinstance(inner, Mapping) else None


def _limit(turn: Turn) -> str:
    limit = turn._settings.kit.max_tool_rounds
    return f"the limit of max_tool_rounds={limit} rounds with calls is reached"


def _params(turn: Turn) -> Mapping[str, object]:
    return turn._request.params if turn._request is not None else {}
