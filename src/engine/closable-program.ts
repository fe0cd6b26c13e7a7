/** Programs that can be closed, of any engine. */
import { ClosedError } from "../errors.js";
import { closable } from "../runtime/closable.js";
import type { Program } from "./engine.js";

/** A program that refuses runs once it is closed, and is freed when the runs that had begun by then have ended. */
export function closableProgram(run: Program["run"], free: () => Promise<void>): Program {
  const running = new Set<Promise<unknown>>();
  let isClosed = false;
  const program = {
    async run(...[feeds, options]: Parameters<Program["run"]>) {
      if (isClosed)
        throw new ClosedError("a program must be open to be run, and this one was closed. Compile its graph again.");
      const results = run(feeds, options);
      running.add(results);
      return results.finally(() => running.delete(results));
    },
  };
  return closable(program, async () => {
    isClosed = true;
    await Promise.allSettled(running);
    await free();
  });
}
