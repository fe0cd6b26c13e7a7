import type { Engine } from "../../engine/engine.js";
import type { Plan } from "../../engine/plan.js";
import { ClosedError } from "../../errors.js";
import type { NamedArrays } from "../../runtime/array.js";
import type { CancellationState } from "./cancellation.js";

/** An engine for graphs that were made ready elsewhere. Its runs block the calling thread. */
export interface PlanEngine extends Omit<Engine, "compile" | "write" | typeof Symbol.asyncDispose> {
  compile(plan: Plan): Promise<PlanProgram>;
  /**
   * Keep these tensors or copies of them: the caller gives them away. Those that are lent are only read, and a program
   * that updates one first makes a copy.
   */
  write(tensors: NamedArrays, isLent?: boolean): Promise<void>;
}

/** A compiled plan. */
export interface PlanProgram {
  /** Run once, as a `Program` does; another thread cancels it, and a cancelled run throws. */
  run(feeds: NamedArrays, cancellation?: CancellationState): Promise<NamedArrays>;
  /** Free what it holds; no run may be under way. A second time nothing happens. */
  close(): Promise<void>;
}

/** What whoever uses a closed engine, or runs one of its programs, is answered. */
export function closedEngine(): ClosedError {
  return new ClosedError("an engine must be open to be used, and this one was closed. Make another one.");
}

/** A name that a run needs is nowhere. */
export function missing(name: string): Error {
  return new Error(`internal: "${name}" is neither fed nor kept by the engine`);
}
