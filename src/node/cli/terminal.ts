/** The progress of a run in a terminal, or as plain lines in a pipe. It sees the run's log and nothing else. */

import type { LoggedEvent } from "../../log/events.js";
import { wrapped } from "../../report/format.js";
import { printable, printableRecord } from "../../report/printable.js";
import { advance, groupLinesWithWorkers, noProgress, type RunProgress, withoutSaid } from "../../report/progress.js";
import { logFollower } from "../runs/follow.js";

const REFRESH_MILLISECONDS = 200;
const PLAIN_WIDTH = 200;
/** The number of progress lines of a group over a whole run, in a pipe. */
const PLAIN_LINES = 20;

/** Write the events of a run as lines of JSON until `close` is called, which writes the remaining ones. */
export function writeEvents(folder: string, out: NodeJS.WritableStream): { close(): void } {
  // Events that a resumed run logged before are not written again.
  const follow = logFollower(folder, "end");
  const tick = () => {
    for (const event of byTime(follow())) out.write(`${printable(JSON.stringify(event))}\n`);
  };
  const timer = setInterval(tick, REFRESH_MILLISECONDS);
  return {
    close() {
      clearInterval(timer);
      tick();
    },
  };
}

/**
 * Show the progress of a run until `close` is called, which shows the remaining events. Notes on the data that are in
 * `said` are not shown again; those that are shown are added there.
 */
export async function showProgress(
  folder: string,
  out: NodeJS.WriteStream,
  said: Set<string> = new Set(),
): Promise<{ close(): void }> {
  const read = logFollower(folder);
  function* follow() {
    for (const event of read()) yield withoutSaid(printableRecord(event), said);
  }
  const display = out.isTTY ? await liveDisplay(out) : plainDisplay(out);
  // Events that a resumed run logged before count for its state, and their notes are not shown again.
  let progress: RunProgress = noProgress;
  for (const event of follow()) progress = { ...next(progress, event), notes: noProgress.notes };
  progress = { ...progress, stage: null };
  const tick = () => {
    // Events before a stage are shown before it, whichever log holds them.
    for (const event of byTime(follow())) {
      if (event.event === "stage") display.show(progress);
      progress = next(progress, event);
    }
    display.show(progress);
  };
  const timer = setInterval(tick, REFRESH_MILLISECONDS);
  return {
    close() {
      clearInterval(timer);
      tick();
      display.close();
    },
  };
}

/** The state after one more event. An event without the fields of its kind, which cannot be shown, changes nothing. */
function next(progress: RunProgress, event: LoggedEvent): RunProgress {
  try {
    const advanced = advance(progress, event);
    groupLinesWithWorkers(advanced, PLAIN_WIDTH);
    return advanced;
  } catch {
    return progress;
  }
}

/** The new events of several logs, in the order of their times. */
function byTime(events: Iterable<LoggedEvent>): LoggedEvent[] {
  return [...events].sort((a, b) => a.time.localeCompare(b.time));
}

interface Display {
  show(progress: RunProgress): void;
  close(): void;
}

/** Notes scroll by; the groups' lines are drawn again in place. */
async function liveDisplay(out: NodeJS.WriteStream): Promise<Display> {
  // Imported here, as it would slow down every start that draws nothing.
  const { createLogUpdate } = await import("log-update");
  const update = createLogUpdate(out);
  let said = 0;
  return {
    show(progress) {
      const notes = progress.notes.slice(said);
      said = progress.notes.length;
      if (notes.length > 0) {
        update.clear();
        const lines = notes.flatMap((note) => note.split("\n"));
        out.write(`${lines.flatMap((line) => wrapped(line, out.columns ?? 80)).join("\n")}\n`);
      }
      const lines = groupLinesWithWorkers(progress, (out.columns ?? 80) - 1).flat();
      if (progress.stage) lines.push(`${progress.stage} ...`);
      update(lines.join("\n"));
    },
    close: () => update.done(),
  };
}

/** A display with a line for each twentieth of a group's steps, and all notes. */
function plainDisplay(out: NodeJS.WriteStream): Display {
  let said = 0;
  let stage: string | null = null;
  const shown = new Map<number, string>();
  return {
    show(progress) {
      for (const note of progress.notes.slice(said)) out.write(`${note}\n`);
      said = progress.notes.length;
      if (progress.stage && progress.stage !== stage) out.write(`${progress.stage} ...\n`);
      stage = progress.stage;
      const lines = groupLinesWithWorkers(progress, PLAIN_WIDTH);
      progress.groups.forEach(({ group, step, numSteps, state }, i) => {
        const mark = `${state} ${Math.floor((step / numSteps) * PLAIN_LINES)}`;
        if (step > 0 && shown.get(group) !== mark) out.write(`${(lines[i] ?? []).join("\n").replace(/[█░]+ +/, "")}\n`);
        shown.set(group, mark);
      });
    },
    close: () => {},
  };
}
