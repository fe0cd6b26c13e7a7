/** The messages between the training thread and the thread that owns it. */

import type { EngineOptions } from "../../engine/engine.js";
import type { Plan } from "../../engine/plan.js";
import type { ErrorCode } from "../../errors.js";
import type { NamedArrays } from "../../runtime/array.js";
import type { Binding } from "./bindings.js";
import type { CancellationState } from "./cancellation.js";
import type { ArrayPlace } from "./values.js";

/** A call of the engine, after the start; `id` comes back with the answer. */
export type EngineRequest = { readonly id: number } & (
  | { readonly call: "start"; readonly options: EngineOptions; readonly binding: Binding }
  | { readonly call: "compile"; readonly plan: Plan }
  | {
      readonly call: "run";
      readonly program: number;
      readonly feeds: NamedArrays;
      readonly cancellation?: CancellationState;
    }
  | { readonly call: "closeProgram"; readonly program: number }
  | { readonly call: "write"; readonly tensors: NamedArrays }
  | { readonly call: "lend"; readonly places: Readonly<Record<string, ArrayPlace>> }
  | { readonly call: "read"; readonly names: readonly string[] }
  | { readonly call: "share"; readonly names: readonly string[] }
  | { readonly call: "adopt"; readonly shared: NamedArrays }
  | { readonly call: "close" }
);

export type EngineAnswer =
  | { readonly id: number; readonly result: NamedArrays | number | null }
  /** A message keeps the class of standard errors alone, so our errors are sent with their code. */
  | { readonly id: number; readonly error: unknown; readonly code: ErrorCode | null };

/** The memory of arrays that a message hands over instead of copying: copies that its sender made and needs no more. */
export function memoryOf(arrays: NamedArrays): ArrayBuffer[] {
  return Object.values(arrays).map(({ data }) => (data as Float32Array<ArrayBuffer>).buffer);
}
