/**
 * How long a parent waits for the process of a group before it ends it, and a group for its workers. All in seconds; generous,
 * for slow machines.
 */
import { ConfigError } from "../../errors.js";

export interface Patience {
  /** From the start of its process to its first event; data is prepared before. Of a launcher's processes, until all have begun. */
  readonly startSeconds: number;
  /**
   * From one sign of life to the next: of a group that trains, an answer of its engine; of a worker, that it comes to add up
   * gradients with the others.
   */
  readonly silentSeconds: number;
  /**
   * From the request to stop to its answer that it saves. A group that has not begun to train has nothing to save, and
   * must end by then.
   */
  readonly stopSeconds: number;
  /** From that answer to its end. */
  readonly saveSeconds: number;
}

const defaults: Readonly<Record<keyof Patience, readonly [variable: string, seconds: number]>> = {
  startSeconds: ["CODISTILL_START_SECONDS", 600],
  silentSeconds: ["CODISTILL_SILENT_SECONDS", 600],
  stopSeconds: ["CODISTILL_STOP_SECONDS", 30],
  saveSeconds: ["CODISTILL_SAVE_SECONDS", 600],
};

/** One day; timers of Node.js reach no further than 24 days. */
const MOST = 86_400;

/**
 * The limits by the environment, else the defaults. Throws {@link ConfigError} for a value that is not a number of
 * seconds.
 */
export function patienceOf(environment: Readonly<Record<string, string | undefined>>): Patience {
  const read = (name: keyof Patience): number => {
    const [variable, seconds] = defaults[name];
    const text = environment[variable] ?? "";
    if (text.trim() === "") return seconds;
    const given = Number(text);
    if (given > 0 && given <= MOST) return given;
    throw new ConfigError(`${variable} must be a number of seconds from above 0 to ${MOST}, got "${text}"`);
  };
  return {
    startSeconds: read("startSeconds"),
    silentSeconds: read("silentSeconds"),
    stopSeconds: read("stopSeconds"),
    saveSeconds: read("saveSeconds"),
  };
}
