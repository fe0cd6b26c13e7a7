import type { Engine, Program } from "../engine/engine.js";
import { ClosedError } from "../errors.js";
import type { Graph } from "../graph/graph.js";
import { type Closable, closable } from "../runtime/closable.js";

/** Programs by their names, which are closed together. */
export interface ProgramCache extends Closable {
  get(name: string, graph: () => Graph): Promise<Program>;
}

/** As many programs as are kept: the one that was asked for longest ago is closed for one more. */
export const MOST_PROGRAMS = 20;

/** Compile graphs when first needed, and again when needed after they had to go. */
export function programCache(engine: Engine): ProgramCache {
  const programs = new Map<string, Promise<Program>>();
  let isClosed = false;
  return closable(
    {
      get(name: string, graph: () => Graph) {
        if (isClosed)
          throw new ClosedError("a student must be open to take steps, and this one was closed. Make another one.");
        const program = programs.get(name) ?? engine.compile(graph());
        // A map keeps the order in which its names came.
        programs.delete(name);
        programs.set(name, program);
        const [[oldest, old] = []] = programs.size > MOST_PROGRAMS ? programs : [];
        if (oldest !== undefined) programs.delete(oldest);
        // Of one that did not compile nothing is to be freed.
        old?.then((one) => one.close()).catch(() => undefined);
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
