/** A whole run as its events, for programs that train. */

import type { LoggedEvent, RunResult } from "../../log/events.js";
import { logFollower } from "../runs/follow.js";
import { type TrainOptions, train } from "./train.js";

/** Milliseconds between two looks at the logs. */
const PAUSE_MS = 100;

/**
 * Run {@link train} and yield the events that the logs of the run and of its groups get from now on, each group's in
 * order. Returns what `train` returns and throws what it throws. When a consumer leaves early, the run goes on until
 * `stop` is aborted.
 */
export async function* trainEvents(options: TrainOptions): AsyncGenerator<LoggedEvent, RunResult | null, void> {
  // Skips the events of earlier starts of the run.
  const follow = logFollower(options.folder, "end");
  const run = train(options);
  const ended = run.then(
    () => true,
    () => true,
  );
  for (let isOver = false; !isOver; ) {
    isOver = await Promise.race([ended, pause()]);
    yield* follow();
  }
  return await run;
}

const pause = () => new Promise<false>((resolve) => setTimeout(() => resolve(false), PAUSE_MS));
