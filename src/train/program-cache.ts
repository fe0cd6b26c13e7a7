import type { Engine, Program } from "../engine/engine.js";
import { ClosedError } from "../errors.js";
import type { Graph } from "../graph/graph.js";
import { type Closable, closable } from "../runtime/closable.js";

/** Programs by their names, which are closed together. */
export interface ProgramCache extends Closable {
  get(name: string, graph: () => Graph): Promise<Program>;
}

/** Compile each graph once, when first needed. */
export function programCache(engine: Engine): ProgramCache {
  const programs = new Map<string, Promise<Program>>();
  let isClosed = false;
  return closable(
    {
      get(name: string, graph: () => Graph) {
        if (isClosed)
          throw new ClosedError("a student must be open to take steps, and this one was closed. Make another one.");
        const program = programs.get(name) ?? engine.compile(graph());
        programs.set(name, program);
        return program;
      },
    },
    async () => {
      isClosed = true;
      for (const program of await Promise.allSettled(programs.values()))
        if (program.status === "fulfilled") await program.value.close();
      programs.clear();
    },
  );
}
