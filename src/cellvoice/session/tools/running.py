"""One call of a tool, from its arguments to what the model is told."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from cellvoice.protocol import mask_keys

from ._errors import ToolArgumentsError
from .approval import Decision, PendingCall
from .context import ToolContext, inside_tool
from .results import cut, shown
from .threads import in_thread

if TYPE_CHECKING:
    from cellvoice.session.turn import Turn

    from .approval import Decisions
    from .calls import ToolCall
    from .declare import Tool
    from .trace import Tracer

__all__ = ["Runner"]

_ERROR_LETTERS: Final = 2_000
_REJECTED: Final = "not allowed"
_STOPPED: Final = "stopped by the user; whether it took effect is not known"
_NOT_BEGUN: Final = "stopped by the user before it ran"


class Runner:
    """Runs the calls of one turn. Loop thread only; raises nothing but CancelledError.

    `told` is called whenever a call changes, `waits` when one begins to wait for a person and
    `audit` with a line for the journal about every decision and every run.
    """

    def __init__(
        self,
        turn: Turn,
        *,
        tracer: Tracer,
        decisions: Decisions,
        told: Callable[[], object],
        waits: Callable[[PendingCall], Awaitable[object]],
        audit: Callable[[Mapping[str, object]], object],
    ) -> None:
        self._turn = turn
        self._tracer = tracer
        self._decisions = decisions
        self._told = told
        self._waits = waits
        self._audit = audit

    async def run(self, call: ToolCall, tool: Tool) -> bool:
        """Bring a call to its end; False if its arguments did not fit and the model may repair it.

        Cancelled, the call ends as stopped.
        """
        try:
            arguments = self._fitting(call, tool)
            if arguments is None:
                return False
            decision = await self._decision(call, tool)
            self._audit_decision(call, decision)
            if not decision.run:
                self._end(call, "rejected", decision.reason or _REJECTED)
                return True
            if decision.arguments is not None:
                call.change(decision.arguments)
                arguments = tool.validated(decision.arguments)
            await self._run(call, tool, arguments)
        except asyncio.CancelledError:
            self._end(call, "failed", _NOT_BEGUN if call.started_s is None else _STOPPED)
            raise
        except Exception as error:  # noqa: BLE001 (whatever a tool's own code raises)
            self._end(call, "failed", _told_of(error))
        return True

    def refuse(self, call: ToolCall, why: str) -> None:
        """A call that can't be run at all."""
        self._end(call, "failed", why)

    def drop(self, call: ToolCall, why: str) -> None:
        """A call that is not run, and of which the model is told nothing."""
        call.state, call.error, call.ended_s = "failed", why, self._tracer.now_s
        self._told()

    def _fitting(self, call: ToolCall, tool: Tool) -> dict[str, object] | None:
        if not call.is_object:
            self._end(
                call,
                "failed",
                f"the arguments are not a JSON object: {call.arguments_text[:200]!r}; call "
                f"{call.name} again with one",
            )
            return None
        try:
            return tool.validated(call.arguments)
        except ToolArgumentsError as error:
            self._end(call, "failed", cut(str(error), _ERROR_LETTERS))
            return None

    async def _decision(self, call: ToolCall, tool: Tool) -> Decision:
        approve: Any = tool.approve or ("ask" if tool.writes else "auto")
        if callable(approve):
            answer = await _called(approve, call)
            if answer is True:
                return Decision(True, "callable")
            if isinstance(answer, str) and answer not in ("ask", "auto"):
                return Decision(False, "callable", answer)
            if answer not in ("ask", "auto"):
                return Decision(False, "callable")
            approve = answer
        if approve == "auto":
            return Decision(True, "auto")
        if self._decisions.allows(tool):
            return Decision(True, "always")
        return await self._asked(call, tool)

    async def _asked(self, call: ToolCall, tool: Tool) -> Decision:
        pending = PendingCall(self._decisions, self._turn, call, tool)
        span = self._tracer.begin("approval", call.name, call)
        self._decisions.add(pending)
        telling = asyncio.ensure_future(self._waits(pending))
        self._told()
        try:
            return await pending.decided()
        finally:
            telling.cancel()
            self._decisions.remove(pending)
            self._tracer.end(span)

    async def _run(self, call: ToolCall, tool: Tool, arguments: Mapping[str, object]) -> None:
        context = ToolContext(self._turn, call, lambda text: self._progress(call, text))
        span = self._tracer.begin("tool", call.name, call)
        call.state, call.started_s = "running", self._tracer.now_s
        self._told()
        try:
            async with asyncio.timeout(tool.timeout_s):
                result = await self._in_cell(tool, arguments, context)
        except TimeoutError as error:
            late = (
                tool.timeout_s is not None and self._tracer.now_s - call.started_s >= tool.timeout_s
            )
            why = f"it did not end within {tool.timeout_s:g} s" if late else _told_of(error)
            self._end(call, "failed", why)
        except asyncio.CancelledError as error:
            running = asyncio.current_task()
            if running is not None and running.cancelling():
                raise
            self._end(call, "failed", _told_of(error))  # of its own: nobody has stopped it
        except BaseException as error:  # noqa: BLE001 (sys.exit() in a tool must not end the loop)
            self._end(call, "failed", _told_of(error))
        else:
            await self._give(call, result)
        finally:
            context._stop()
            if call.state == "running":
                self._end(call, "failed", _STOPPED)
            self._tracer.end(span, call.error)
            self._audit_run(call)

    async def _in_cell(
        self, tool: Tool, arguments: Mapping[str, object], context: ToolContext
    ) -> object:
        """Run it in the context of the cell that asked, so that what it prints appears there."""
        cell = inside_tool(self._turn)
        running: asyncio.Task[Callable[[], object]] = asyncio.create_task(
            _guarded(tool, arguments, context), context=cell
        )
        try:
            return (await running)()
        except asyncio.CancelledError:
            running.cancel()
            raise

    async def _give(self, call: ToolCall, result: object) -> None:
        # A large table or figure takes its time, which other turns must not wait for.
        found = await in_thread(lambda: shown(result))
        call.result, call.result_text, call.result_html = result, mask_keys(found.text), found.html
        if call.was_changed:
            call.result_text = (
                f"(the user ran it with other arguments: {call.arguments})\n{call.result_text}"
            )
        self._end(call, "done", None)

    def _progress(self, call: ToolCall, text: str) -> None:
        call.progress = text
        self._told()

    def _end(self, call: ToolCall, state: Any, error: str | None) -> None:
        if call.state in ("done", "failed", "rejected"):
            return
        call.state, call.ended_s = state, self._tracer.now_s
        if error is not None:
            call.error = mask_keys(error)
            call.result_text = f"error: {call.error}"
            if state == "rejected":
                call.result_text = f"the user did not allow this call: {call.error}"
        self._told()

    def _audit_decision(self, call: ToolCall, decision: Decision) -> None:
        self._audit(
            {
                "what": "decided",
                **_named(call),
                "decision": "run" if decision.run else "reject",
                "by": decision.by,
                "reason": decision.reason,
                "changed_to": None if decision.arguments is None else dict(decision.arguments),
            }
        )

    def _audit_run(self, call: ToolCall) -> None:
        told = call.to_json()
        del told["result_html"]
        self._audit({"what": "ran", **_named(call), **told})


async def _guarded(
    tool: Tool, arguments: Mapping[str, object], context: ToolContext
) -> Callable[[], object]:
    """The result or what was raised, to be had by a call: a task of its own may not end with
    KeyboardInterrupt or SystemExit, which would end the loop with it."""
    try:
        result = await tool.call(arguments, context)
    except (asyncio.CancelledError, Exception):
        raise
    except BaseException as error:  # noqa: BLE001 (given to whoever asks for the result)
        failure = error

        def fail() -> object:
            raise failure

        return fail
    return lambda: result


async def _called(approve: Callable[[ToolCall], object], call: ToolCall) -> object:
    """What the tool's own `approve` says of a call; it may be async, and a sync one may block."""
    if inspect.iscoroutinefunction(approve):
        return await approve(call)
    answer = await in_thread(lambda: approve(call))
    return await answer if inspect.isawaitable(answer) else answer


def _named(call: ToolCall) -> dict[str, object]:
    return {"call": call.id, "name": call.name, "hash": call.hash, "round": call.round}


def _told_of(error: BaseException) -> str:
    """An exception in a sentence, for the model and for a person."""
    return cut(f"{type(error).__name__}: {error}".removesuffix(": "), _ERROR_LETTERS)
