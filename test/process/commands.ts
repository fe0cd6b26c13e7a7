/** Commands that share a process, which is started for the first of them: a start costs more than most commands. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { cleanEnvironment, type Ended } from "./processes.js";

export interface Commands {
  /** Run `codistill <args>`, after those before. */
  run(args: readonly string[]): Promise<Ended>;
  /** End the process. */
  close(): Promise<void>;
}

/** Commands that run in a folder. */
export function commandsIn(cwd: string): Commands {
  let child: ChildProcess | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function runNow(args: readonly string[]): Promise<Ended> {
    child ??= fork(fileURLToPath(new URL("./commands-main.js", import.meta.url)), [], {
      cwd,
      env: cleanEnvironment(),
    });
    const over = new AbortController();
    const answered = once(child, "message", over).then(
      ([answer]) => answer as Pick<Ended, "code" | "stdout" | "stderr">,
    );
    const died = once(child, "exit", over).then(([code, signal]) => {
      throw new Error(`the process of codistill ${args.join(" ")} ended with ${signal ?? `code ${code}`}`);
    });
    child.send(args);
    const { code, stdout, stderr } = await Promise.race([answered, died]).finally(() => over.abort());
    const shown = `$ codistill ${args.join(" ")}\n--- stdout\n${stdout}\n--- stderr\n${stderr}\n--- ended with code ${code}`;
    return { code, signal: null, stdout, stderr, shown };
  }

  return {
    run(args) {
      const running = last.then(() => runNow(args));
      last = running.catch(() => {});
      return running;
    },
    async close() {
      if (child?.kill("SIGKILL")) await once(child, "exit");
    },
  };
}
