/** The process of one group, as its parent sees it: it is waited for, but not for ever, and its faults are its own. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../errors.js";
import { type SilenceWatch, watchSilence } from "../comm/silence.js";
import { REFUSED } from "./exit-codes.js";
import type { GroupWord } from "./group-orders.js";
import { withHugePages } from "./huge-pages.js";
import type { Patience } from "./patience.js";

export interface GroupProcess {
  /** Always resolves. */
  readonly ended: Promise<GroupEnd>;
  /** Ask it to save and end; one that does not is ended. */
  stop(): void;
  /** End it at once. */
  kill(): void;
}

export interface GroupEnd {
  /**
   * Whether it ended by a signal, by a defect, or because it could not be started, so that another start may succeed;
   * false after a refusal.
   */
  readonly hasDied: boolean;
  /** Whether it did what it had to: it came to its last step, or has saved as it was asked. */
  readonly isDone: boolean;
  /** How it ended, as the end of a sentence. */
  readonly how: string;
}

/** Of a process that died. */
export const died = { hasDied: true, isDone: false } as const;

/** How long a killed process may take to go: longer only where the kernel itself waits, as for a disk that is gone. */
const KILL_SECONDS = 10;

/** By how much longer a group's process is borne than one of its workers: the group itself can say which worker is silent. */
const LONGER_THAN_WORKERS = 1.25;

/** Start the process of a group with these arguments; its standard error goes to an open file. */
export function startProcess(args: readonly string[], errors: number | "ignore", patience: Patience): GroupProcess {
  let resolve: (end: GroupEnd) => void = () => {};
  const ended = new Promise<GroupEnd>((give) => {
    resolve = give;
  });
  let timer: NodeJS.Timeout | undefined;
  let silence: SilenceWatch | undefined;
  /** Why this process killed the group's. */
  let reason: string | null = null;
  let isStopping = false;

  function endWith(end: GroupEnd): void {
    clearTimeout(timer);
    silence?.end();
    resolve(end);
  }
  const notStarted = (error: unknown) =>
    endWith({
      ...died,
      how: `could not be started (${messageOf(error)}); the machine may have too many processes`,
    });

  const child = forkGroup(args, errors, notStarted);
  if (!child) return { ended, stop: () => {}, kill: () => {} };

  function within(seconds: number, what: string): void {
    clearTimeout(timer);
    timer = setTimeout(() => end(`${what} within ${seconds} s, and was ended`), seconds * 1000);
  }

  function end(why: string): void {
    reason = why;
    child?.kill("SIGKILL");
    clearTimeout(timer);
    // After that the process is abandoned, as this process must be able to end.
    timer = setTimeout(() => {
      child?.unref();
      child?.channel?.unref();
      endWith({ ...died, how: `${why}, but does not go: the kernel waits for something, as a disk` });
    }, KILL_SECONDS * 1000);
  }

  // Without a listener, a failed start or a message that cannot be sent would end this process and all groups.
  child.on("error", (error) => {
    if (child.pid === undefined) notStarted(error);
  });
  child.on("message", (word: GroupWord) => {
    silence?.heard();
    if (word === "started" && !isStopping) {
      clearTimeout(timer);
      silence ??= watchSilence(LONGER_THAN_WORKERS * patience.silentSeconds, () =>
        end(`gave no sign of life for more than ${patience.silentSeconds} s, and was ended`),
      );
    }
    if (word === "saving" && isStopping) within(patience.saveSeconds, "did not save what it had");
  });
  child.once("exit", (code, signal) => {
    const how = signal ? `was killed by ${signal}` : `exited with code ${code}`;
    endWith({ hasDied: code !== 0 && code !== REFUSED, isDone: code === 0, how: reason ?? how });
  });
  within(patience.startSeconds, "did not begin to train");

  return {
    ended,
    stop() {
      isStopping = true;
      silence?.end();
      within(patience.stopSeconds, "did not answer, asked to stop,");
      // A signal may arrive where the message does not.
      const onFailure = (error: Error | null) => error && child.kill("SIGTERM");
      if (child.connected) child.send("stop", onFailure);
      else child.kill("SIGTERM");
    },
    kill: () => child.kill("SIGKILL"),
  };
}

function forkGroup(
  args: readonly string[],
  errors: number | "ignore",
  onFailure: (error: unknown) => void,
): ChildProcess | null {
  const entry = fileURLToPath(new URL("./group-main.js", import.meta.url));
  const withoutDebugger = process.allowedNodeEnvironmentFlags.has("--disable-sigusr1") ? ["--disable-sigusr1"] : [];
  try {
    return fork(entry, [...args], {
      env: withHugePages(process.env),
      // For the garbage collection that `ort/program.ts` asks for once, before a program takes most of its memory.
      execArgv: [...process.execArgv, "--expose-gc", ...withoutDebugger],
      stdio: ["ignore", "ignore", errors, "ipc"],
    });
  } catch (error) {
    onFailure(error);
    return null;
  }
}
