/** How long a parent waits for the process of a group before it ends it. All in seconds; generous, for slow machines. */
import { ConfigError } from "../../errors.js";

export interface Patience {
  /** From the start of its process to its first event; data is prepared before. */
  readonly startSeconds: number;
  /** From being asked to stop to its answer that it saves. One that has not begun has nothing to save, and gives none. */
  readonly stopSeconds: number;
  /** From that answer to its end. */
  readonly saveSeconds: number;
}

const defaults: Readonly<Record<keyof Patience, readonly [variable: string, seconds: number]>> = {
  startSeconds: ["CODISTILL_START_SECONDS", 600],
  stopSeconds: ["CODISTILL_STOP_SECONDS", 30],
  saveSeconds: ["CODISTILL_SAVE_SECONDS", 600],
};

/** A day: timers of Node.js reach no further than 24 of them. */
const MOST = 86_400;

/** What the environment says of it, else the defaults. Throws {@link ConfigError} for what is no number of seconds. */
export function patienceOf(environment: Readonly<Record<string, string | undefined>>): Patience {
  const read = (name: keyof Patience): number => {
    const [variable, seconds] = defaults[name];
    const text = environment[variable] ?? "";
    if (text.trim() === "") return seconds;
    const given = Number(text);
    if (given > 0 && given <= MOST) return given;
    throw new ConfigError(`${variable} must be a number of seconds from above 0 to ${MOST}, got "${text}"`);
  };
  return { startSeconds: read("startSeconds"), stopSeconds: read("stopSeconds"), saveSeconds: read("saveSeconds") };
}
