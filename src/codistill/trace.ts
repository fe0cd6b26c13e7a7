/** The exchange trace: which teachers a group learned from, from which step on. With it a run can be replayed. */
import type { TeachersEvent, TrainEvent } from "../log/events.js";
import type { Exchange } from "./exchange.js";

/**
 * The same exchange, which tells of every change of the teachers in use, and again whenever the steps go back. It does so
 * when the step is judged: of one that is cancelled nothing is told.
 */
export function traced(exchange: Exchange, group: number, onEvent: (event: TeachersEvent) => void): Exchange {
  let last = { step: -1, shown: "" };
  let asked: { readonly step: number; readonly teachers: TeachersEvent["teachers"] } | null = null;
  return {
    ...exchange,
    get supersededBy() {
      return exchange.supersededBy;
    },
    async teachers(step) {
      const inUse = await exchange.teachers(step);
      asked = { step, teachers: inUse.map(({ params: _, ...teacher }) => teacher) };
      return inUse;
    },
    judge(step, ...rest) {
      if (asked?.step === step) {
        const shown = JSON.stringify(asked.teachers);
        if (shown !== last.shown || step <= last.step) onEvent({ event: "teachers", group, ...asked });
        last = { step, shown };
      }
      asked = null;
      exchange.judge(step, ...rest);
    },
  };
}

/**
 * The trace that a group's log tells, as if the group had never been interrupted: what came after the checkpoint from
 * which it went on is left out.
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
      // Killed between a checkpoint and its event, a group has only the steps to go by.
      const length = lengths.get(event.step) ?? trace.findLastIndex(({ step }) => step < event.step) + 1;
      trace = event.step === 0 ? [] : trace.slice(0, length);
      for (const step of lengths.keys()) if (step > event.step) lengths.delete(step);
    }
  }
  return trace;
}
