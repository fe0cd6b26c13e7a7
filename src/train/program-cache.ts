import type { Engine, Program } from "../engine/engine.js";
import { ClosedError } from "../errors.js";
import type { Graph } from "../graph/graph.js";
import { type Closable, closable } from "../runtime/closable.js";

/** Compiled programs by name; closing the cache closes all of them. */
export interface ProgramCache extends Closable {
  get(name: string, graph: () => Graph): Promise<Program>;
}

/** The most programs that are kept: for one more, the least recently used one is closed. */
export const MOST_PROGRAMS = 20;

/** A cache that compiles a graph when it is first needed, and again after its program was closed for others. */
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
        // A program that did not compile holds nothing to free.
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
