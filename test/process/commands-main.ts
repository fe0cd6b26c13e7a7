/**
 * Runs commands of `codistill` one after the other, each as `src/node/main.ts` runs the one of its process, and sends what it said and the
 * code that it would have ended with.
 */
import { reportFailure } from "../../src/node/cli/failure.js";
import { commandLine, commandOf } from "../../src/node/cli/program.js";

class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`ended with ${code}`);
    this.code = code;
  }
}

// Each command that can be stopped listens to the signals until its process ends.
process.setMaxListeners(0);
process.exit = (code) => {
  throw new Exit(Number(code));
};
let said: { readonly stdout: Uint8Array[]; readonly stderr: Uint8Array[] } = { stdout: [], stderr: [] };
for (const name of ["stdout", "stderr"] as const) {
  process[name].write = (chunk: string | Uint8Array, ...rest: readonly unknown[]) => {
    said[name].push(Buffer.from(chunk as string));
    const done = rest.at(-1);
    if (typeof done === "function") done();
    return true;
  };
}

process.on("message", async (args: readonly string[]) => {
  said = { stdout: [], stderr: [] };
  process.exitCode = undefined;
  try {
    await commandLine().parseAsync(args, { from: "user" });
  } catch (error) {
    process.exitCode = error instanceof Exit ? error.code : reportFailure(error, commandOf(args));
  }
  const [stdout, stderr] = [said.stdout, said.stderr].map((chunks) => Buffer.concat(chunks).toString());
  process.send?.({ code: process.exitCode ?? 0, stdout, stderr });
});
