/** A group's side of the exchange: snapshots go out and come in, and of the teachers only those that are fresh and healthy teach. */
import { type StartWatch, watchStarts } from "../checkpoint/claims.js";
import type { Store } from "../checkpoint/store.js";
import type { ExchangeEvent } from "../log/events.js";
import type { Model } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";
import type { StepMetrics, Teacher } from "../train/student.js";
import { teacherQuarantine } from "./quarantine.js";
import { type SeenTeacher, snapshotTransport } from "./transport.js";

export type { SeenTeacher } from "./transport.js";

/** What the training loop asks of an exchange. Only a replay, which reads its teachers, makes it wait. */
export interface Exchange {
  /** The freshest whole snapshots that are already here and not too old, in group order. */
  teachers(step: number): readonly SeenTeacher[] | Promise<readonly SeenTeacher[]>;
  /** Look at what a step showed of its teachers: those that are unhealthy are left out for a while. */
  observe?(step: number, teachers: readonly Teacher[], metrics: StepMetrics): void;
  /** Publish params, which must not change after; while some are being written only the newest wait. */
  publish?(step: number, params: NamedArrays): void;
  /** Look for newer snapshots of the teachers; what arrives counts as seen at this step or the latest one asked for. */
  refresh?(step: number): void;
}

/** An exchange through a store, which has its teachers at hand. */
export interface StoreExchange extends Required<Exchange> {
  teachers(step: number): readonly SeenTeacher[];
  /** Note the student's validation loss: what its own step shows of it, its teachers need not surpass. */
  validated(loss: number): void;
  /** All snapshots that were seen, stale ones too: what a resumed run must know, so that none is taken for fresh. */
  known(): readonly SeenTeacher[];
  /** The later start of this group that a publication met, else null; this one publishes no more, and should stop. */
  supersededBy(): number | null;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export interface ExchangeOptions {
  readonly store: Store;
  readonly group: number;
  /** The groups whose snapshots teach this one. */
  readonly teachers: readonly number[];
  readonly model: Model;
  /** How many times this group has been started; 1 by default. */
  readonly incarnation?: number | undefined;
  /** Watches that this start is the group's newest; by the store and the incarnation when left out. */
  readonly starts?: StartWatch | undefined;
  /** A teacher counts once its own step has come this far; 0 by default. */
  readonly burnInSteps?: number | undefined;
  /** A teacher counts until it has been known for this many student steps; 1,000 by default. */
  readonly maxStaleness?: number | undefined;
  /** Whether chance alone deals the groups' data, so that labels of all are alike; true by default. */
  readonly isAlike?: boolean | undefined;
  /** Newest own snapshots that stay in the store; 10 by default. */
  readonly keepSnapshots?: number | undefined;
  /** Seconds that one publication or fetch may take; 60 by default. */
  readonly timeoutSeconds?: number | undefined;
  /** Teachers to begin with, when a run is resumed; copied. */
  readonly known?: readonly SeenTeacher[] | undefined;
  readonly onEvent?: ((event: ExchangeEvent) => void) | undefined;
}

/** The exchange through a store. Throws {@link CheckpointError} when a known teacher is not of the model. */
export function storeExchange({
  store,
  group,
  teachers: groups,
  model,
  incarnation = 1,
  starts,
  burnInSteps = 0,
  maxStaleness = 1000,
  isAlike = true,
  keepSnapshots = 10,
  timeoutSeconds = 60,
  known = [],
  onEvent = () => {},
}: ExchangeOptions): StoreExchange {
  const tell = (message: string) => onEvent({ event: "warning", group, message });
  const watch = starts ?? watchStarts(store, group, incarnation, { tell });
  const transport = snapshotTransport({
    ...{ store, group, from: groups, model, incarnation, starts: watch, known, onEvent },
    ...{ maxStaleness, keepSnapshots, timeoutSeconds },
  });
  const quarantine = teacherQuarantine(group, onEvent, isAlike);
  return {
    teachers(step) {
      const seen = transport.seen(step);
      return groups.flatMap((from) => {
        const teacher = seen.get(from);
        const counts = teacher && teacher.step >= burnInSteps && step - teacher.seenAtStep <= maxStaleness;
        return counts && quarantine.admits(teacher, step) ? [teacher] : [];
      });
    },
    observe: quarantine.observe,
    validated: quarantine.validated,
    publish: transport.publish,
    refresh: transport.refresh,
    known: transport.known,
    supersededBy: watch.supersededBy,
    idle: transport.idle,
  };
}
