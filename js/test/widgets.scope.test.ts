import { expect, test, vi } from "vitest";
import { Scope } from "../core/scope";
import { HandClock } from "./hand-clock";

test("closing undoes everything, newest first, and one failure does not stop the rest", () => {
  const scope = new Scope();
  const order: string[] = [];
  const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
  scope.add(() => order.push("first"));
  scope.add(() => {
    throw new Error("broken");
  });
  scope.add(() => order.push("last"));
  scope.close();
  expect(order).toEqual(["last", "first"]);
  expect(complaint).toHaveBeenCalledOnce();
  complaint.mockRestore();
  scope.close();
  expect(order).toHaveLength(2);
});

test("what is added to a closed scope is undone at once", () => {
  const scope = new Scope();
  scope.close();
  const undo = vi.fn();
  scope.add(undo);
  expect(undo).toHaveBeenCalledOnce();
});

test("a listener is gone after close, and early undoing forgets it", () => {
  const scope = new Scope();
  const target = new EventTarget();
  const heard = vi.fn();
  const early = scope.listen(target, "x", heard);
  scope.listen(target, "y", heard);
  early();
  target.dispatchEvent(new Event("x"));
  expect(scope.size).toBe(1);
  scope.close();
  target.dispatchEvent(new Event("y"));
  expect(heard).not.toHaveBeenCalled();
  expect(scope.size).toBe(0);
});

test("timers die with their scope, and a timer that rang is no longer owned", () => {
  const clock = new HandClock();
  const scope = new Scope();
  const rang: string[] = [];
  scope.after(10, () => rang.push("once"), clock);
  scope.every(4, () => rang.push("again"), clock);
  clock.advance(10);
  expect(rang).toEqual(["again", "again", "once"]);
  expect(scope.size).toBe(1);
  scope.close();
  clock.advance(100);
  expect(rang).toHaveLength(3);
  expect(clock.waiting).toBe(0);
});

test("a child closes with its parent, and a parent forgets a child that closed first", () => {
  const parent = new Scope();
  const undo = vi.fn();
  parent.child().close();
  expect(parent.size).toBe(0);
  parent.child().add(undo);
  parent.close();
  expect(undo).toHaveBeenCalledOnce();
});
