import type { Engine } from "../../engine/engine.js";
import type { Plan } from "../../engine/plan.js";
import { ClosedError } from "../../errors.js";
import type { NamedArrays } from "../../runtime/array.js";
import type { CancellationState } from "./cancellation.js";

/** An engine for graphs that were made ready elsewhere. Its runs block the calling thread. */
export interface PlanEngine extends Omit<Engine, "compile" | "write" | typeof Symbol.asyncDispose> {
  compile(plan: Plan): Promise<PlanProgram>;
  /**
   * Keep these tensors or copies of them; the caller must not use them again. Lent tensors are only read, and a program
   * that updates one copies it first.
   */
  write(tensors: NamedArrays, isLent?: boolean): Promise<void>;
}

/** A compiled plan. */
export interface PlanProgram {
  /** Run once, as a `Program` does; another thread cancels it, and a cancelled run throws. */
  run(feeds: NamedArrays, cancellation?: CancellationState): Promise<NamedArrays>;
  /** Free its resources; no run may be under way. A second call does nothing more. */
  close(): Promise<void>;
}

/** The error of a call of a closed engine, or of one of its programs. */
export function closedEngine(): ClosedError {
  return new ClosedError("an engine must be open to be used, and this one was closed. Make another one.");
}

/** The error when a run needs a tensor that is neither fed nor kept. */
export function missing(name: string): Error {
  return new Error(`internal: "${name}" is neither fed nor kept by the engine`);
}
