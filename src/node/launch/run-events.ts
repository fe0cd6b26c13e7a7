/** A whole run as its events, for programs that train. */

import type { LoggedEvent, RunResult } from "../../log/events.js";
import { logFollower } from "../runs/follow.js";
import { type TrainOptions, train } from "./train.js";

/** Milliseconds between two looks at the logs. */
const PAUSE_MS = 100;

/**
 * {@link train}, told event by event: everything that the logs of the run and of its groups get from now on, each group's in its
 * order. Returns what `train` returns and throws what it throws; a consumer that leaves early leaves the run going, until
 * `stop` is aborted.
 */
export async function* trainEvents(options: TrainOptions): AsyncGenerator<LoggedEvent, RunResult | null, void> {
  // What earlier starts of the run have told is known.
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
