/** A first look at a run, to know how long it takes: it goes on from there later, so that nothing is trained twice. */
import { existsSync } from "node:fs";
import { ConfigError } from "../../errors.js";
import { readEvents } from "../runs/read-log.js";
import { runFolder } from "../runs/run-folder.js";
import { hasFinished } from "./finish.js";

/** How long a first run is looked at, from its first step on. */
const LOOK_SECONDS = 5;
const LOOK_MILLISECONDS = 200;

/**
 * Begin a run of so many steps and stop it after some seconds of them: the seconds that the whole of it takes. Null when others stopped
 * it, and "finished" where it came to its end before. Throws {@link ConfigError} where it took no step, and what `train` throws.
 */
export async function secondsByLook(
  { folder, numSteps }: { readonly folder: string; readonly numSteps: number },
  train: (stop: AbortSignal) => Promise<unknown>,
  stop: AbortSignal,
): Promise<number | "finished" | null> {
  const enough = new AbortController();
  const log = runFolder(folder).group(0).log;
  let speed: { readonly step: number; readonly seconds: number } | undefined;
  const timer = setInterval(() => {
    speed = speedIn(log);
    if (speed && speed.seconds >= LOOK_SECONDS) enough.abort();
  }, LOOK_MILLISECONDS);
  const began = performance.now();
  try {
    await train(AbortSignal.any([stop, enough.signal]));
  } finally {
    clearInterval(timer);
  }
  if (stop.aborted) return null;
  if (hasFinished(folder)) return "finished";
  const took = (performance.now() - began) / 1000;
  speed = speedIn(log);
  if (!speed) throw new ConfigError(`--time-budget: ${folder} ended before it took a step; its log says why`);
  // What is not steps comes again with every run: its start, and about as much for its end.
  const around = Math.max(0, took - speed.seconds);
  return (speed.seconds / speed.step) * numSteps + around;
}

/** The last step of a log, and the seconds that its steps took. */
function speedIn(log: string): { readonly step: number; readonly seconds: number } | undefined {
  if (!existsSync(log)) return undefined;
  let last: { step: number; seconds: number } | undefined;
  for (const { step, stepsPerSecond } of readEvents(log, ["step"])) {
    const before: { step: number; seconds: number } = last ?? { step: 0, seconds: 0 };
    if (step > before.step) last = { step, seconds: before.seconds + (step - before.step) / stepsPerSecond };
  }
  return last;
}
