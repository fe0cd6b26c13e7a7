/** The engine through the C API of ONNX Runtime: state tensors are read and written where they are. */

import type { EngineOptions } from "../../engine/engine.js";
import { copyOf } from "../../runtime/array.js";
import { mapValues } from "../../runtime/named.js";
import type { PlanEngine, PlanProgram } from "./plan-engine.js";
import { nativeProgram } from "./program.js";
import { tensorTable } from "./tensor-table.js";

/** An engine through the C API. Throws what koffi throws when the library cannot be loaded. */
export function nativeEngine(options: EngineOptions): PlanEngine {
  const kept = tensorTable();
  const programs = new Set<Promise<PlanProgram>>();
  return {
    async compile(plan) {
      const compiled = nativeProgram(plan, kept, options);
      programs.add(compiled);
      const { run, close } = await compiled;
      return {
        run,
        async close() {
          programs.delete(compiled);
          await close();
        },
      };
    },
    async write(tensors, isLent = false) {
      kept.write(tensors, isLent);
    },
    async read(names) {
      return mapValues(kept.read(names), copyOf);
    },
    share: async (names) => kept.share(names),
    adopt: async (shared) => kept.adopt(shared),
    async close() {
      const compiled = await Promise.allSettled(programs);
      programs.clear();
      const closing = compiled.map(async (program) => program.status === "fulfilled" && program.value.close());
      const closed = await Promise.allSettled(closing);
      kept.clear();
      for (const end of closed) if (end.status === "rejected") throw end.reason;
    },
  };
}
