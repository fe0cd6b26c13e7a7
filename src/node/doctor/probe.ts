/** Programs of other people that may crash are tried in a process of their own, so that a crash ends that process alone. */
import { type StdioOptions, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How long a probe may take: loading a library, or meeting all ranks. */
const TIMEOUT_SECONDS = 60;
/** What a probe writes before its answer: libraries write to the same place. */
export const ANSWER = "codistill-probe:";

export type ProbeName = "engine" | "mpi" | "packages";

/** What a probe found, or why it has no answer, as the end of a sentence. */
export type Probed<T> = { readonly answer: T } | { readonly trouble: string };

/** Run a probe. */
export async function probed<T>(name: ProbeName): Promise<Probed<T>> {
  const entry = fileURLToPath(new URL("./probe-main.js", import.meta.url));
  const child = spawn(process.execPath, [entry, name], { stdio: stdioOf(process.env) });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-100_000);
    });
  }
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, 1000 * TIMEOUT_SECONDS);
  const how = await new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`cannot be tried: ${error.message}`));
    child.once("close", (code, signal) => resolve(signal ? `ended by ${signal}` : `ended with code ${code}`));
  });
  clearTimeout(timer);
  const line = said.split("\n").find((text) => text.startsWith(ANSWER));
  if (line !== undefined) return JSON.parse(line.slice(ANSWER.length)) as Probed<T>;
  if (isLate) return { trouble: `did not answer within ${TIMEOUT_SECONDS} s` };
  const last = said.trim().split("\n").at(-1)?.slice(0, 300);
  return { trouble: `${how}${last ? `: ${last}` : ""}` };
}

/** What a probe reads and writes. MPICH hands its processes an open file by number, which Node.js would close for its children. */
function stdioOf({ PMI_FD }: NodeJS.ProcessEnv): StdioOptions {
  const file = /^\d{1,3}$/.test(PMI_FD ?? "") ? Number(PMI_FD) : 0;
  const between = Array.from({ length: Math.max(0, file - 3) }, () => "ignore" as const);
  return ["ignore", "pipe", "pipe", ...between, ...(file > 2 ? [file] : [])];
}
