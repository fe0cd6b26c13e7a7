/**
 * The trace of an exchange: which teachers a group learned from, from which step on. With it, and with the snapshots that it
 * names, a group takes the same steps to the same bits.
 */
import { readRecorded } from "../checkpoint/recordings.js";
import type { Store } from "../checkpoint/store.js";
import type { TeachersEvent, TrainEvent } from "../log/events.js";
import { checkWeights } from "../nn/fit.js";
import type { Model } from "../nn/model.js";
import type { Exchange } from "./exchange.js";
import type { SeenTeacher } from "./transport.js";

/**
 * The same exchange, which reports the teachers in use whenever they change, and again whenever the steps go back. It
 * reports them when the step is observed, so a cancelled step reports nothing.
 */
export function traced<E extends Exchange>(
  exchange: E,
  group: number,
  onEvent: (event: TeachersEvent) => void,
): Exchange & Omit<E, keyof Exchange> {
  let last = { step: -1, shown: "" };
  let asked: { readonly step: number; readonly teachers: TeachersEvent["teachers"] } | null = null;
  return {
    ...exchange,
    async teachers(step, signal) {
      const inUse = await exchange.teachers(step, signal);
      asked = { step, teachers: inUse.map(({ params: _, ...teacher }) => teacher) };
      return inUse;
    },
    observe(step, ...rest) {
      if (asked?.step === step) {
        const shown = JSON.stringify(asked.teachers);
        if (shown !== last.shown || step <= last.step) onEvent({ event: "teachers", group, ...asked });
        last = { step, shown };
      }
      asked = null;
      exchange.observe?.(step, ...rest);
    },
  };
}

/**
 * The trace in a group's log, as if the group had never been interrupted: when the group resumed from a checkpoint, the
 * entries after that checkpoint are left out.
 */
export function traceOf(events: Iterable<TrainEvent>): readonly TeachersEvent[] {
  let trace: TeachersEvent[] = [];
  /** How long the trace was at each checkpoint. */
  const lengths = new Map<number, number>();
  for (const event of events) {
    if (event.event === "teachers") trace.push(event);
    if (event.event === "checkpoint") lengths.set(event.step, trace.length);
    if (event.event === "began-from-snapshot") {
      trace = [];
      lengths.clear();
    }
    if (event.event === "group-start") {
      // A group that was killed between a checkpoint and its event has only the steps to go by.
      const length = lengths.get(event.step) ?? trace.findLastIndex(({ step }) => step < event.step) + 1;
      trace = event.step === 0 ? [] : trace.slice(0, length);
      for (const step of lengths.keys()) if (step > event.step) lengths.delete(step);
    }
  }
  return trace;
}

export interface ReplayOptions {
  readonly trace: readonly TeachersEvent[];
  /** The files of the recorded group. */
  readonly recorded: Store;
  readonly model: Model;
  /** The step at which the replay resumes from a checkpoint of its own; 0 by default. */
  readonly fromStep?: number | undefined;
}

/**
 * An exchange that gives the teachers of a trace at the steps of the trace, and publishes nothing.
 *
 * Its `teachers` throws {@link CheckpointError} when a recorded snapshot is gone or damaged.
 */
export function replayExchange({ trace, recorded, model, fromStep = 0 }: ReplayOptions): Exchange {
  // The steps of a trace go back where a student was restored, so its entries are used in order.
  let next =
    fromStep === 0
      ? 0
      : Math.max(
          0,
          trace.findLastIndex(({ step }) => step <= fromStep),
        );
  let current: readonly SeenTeacher[] = [];

  async function load(teachers: TeachersEvent["teachers"]): Promise<readonly SeenTeacher[]> {
    const loaded: SeenTeacher[] = [];
    for (const teacher of teachers) {
      const before = current.find(({ digest }) => digest === teacher.digest);
      const params = before?.params ?? (await readRecorded(recorded, teacher.digest));
      checkWeights("the snapshot", params, model);
      loaded.push({ ...teacher, params });
    }
    return loaded;
  }

  return {
    async teachers(step) {
      const entry = trace[next];
      if (entry && (entry.step === step || (step === fromStep && entry.step < step))) {
        current = await load(entry.teachers);
        next++;
      }
      return current;
    },
  };
}
