/** A group's side of the exchange: it publishes and fetches snapshots, and only fresh and healthy teachers teach it. */
import { type StartWatch, watchStarts } from "../checkpoint/claims.js";
import type { Store } from "../checkpoint/store.js";
import type { ExchangeEvent } from "../log/events.js";
import type { Model } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";
import type { StepMetrics, Teacher } from "../train/student.js";
import { teacherQuarantine } from "./quarantine.js";
import { type SeenTeacher, snapshotTransport } from "./transport.js";

export type { SeenTeacher } from "./transport.js";

/**
 * What the training loop needs of an exchange. Only a replay, which reads its teachers from files, and one of exact ages make it wait; the
 * signal cancels that.
 */
export interface Exchange {
  /** The freshest whole snapshots that are already here and not too old, in group order. */
  teachers(step: number, signal?: AbortSignal): readonly SeenTeacher[] | Promise<readonly SeenTeacher[]>;
  /** Judge the teachers by the metrics of a step; unhealthy ones are left out for a while. */
  observe?(step: number, teachers: readonly Teacher[], metrics: StepMetrics): void;
  /** Publish params, which must not change afterwards. While a publication is running, only the newest params wait. */
  publish?(step: number, params: NamedArrays): void;
  /** Look for newer snapshots of the teachers; one counts as seen at the latest step given before it arrives. */
  refresh?(step: number): void;
  /** Called before each step, for what is to be kept of the snapshots that are here. */
  keep?(step: number): void;
}

/** An exchange through a store, whose `teachers` never waits. */
export interface StoreExchange extends Required<Omit<Exchange, "keep">> {
  teachers(step: number): readonly SeenTeacher[];
  /** The same with the newest snapshot of the own group, where those are fetched too. */
  withOwn(step: number): readonly SeenTeacher[];
  /** Note the student's validation loss: teachers are compared with it where it is larger than the loss of the step. */
  validated(loss: number): void;
  /** The last new snapshot of each teacher, stale ones too. A resumed run needs them, so as to take none for new. */
  known(): readonly SeenTeacher[];
  /** The later start of this group that was found, else null; this start then publishes no more, and should stop. */
  supersededBy(): number | null;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export interface ExchangeOptions {
  readonly store: Store;
  readonly group: number;
  /** The groups whose snapshots teach this one. */
  readonly teachers: readonly number[];
  /** Whether this group's own snapshots are fetched too; false by default. */
  readonly fetchesOwn?: boolean | undefined;
  readonly model: Model;
  /** How many times this group has been started; 1 by default. */
  readonly incarnation?: number | undefined;
  /** Watches that this start is the group's newest; made from the store and the incarnation by default. */
  readonly starts?: StartWatch | undefined;
  /** A teacher counts once its own step has come this far; 0 by default. */
  readonly burnInSteps?: number | undefined;
  /** A teacher counts until it has been known for this many student steps; 1,000 by default. */
  readonly maxStaleness?: number | undefined;
  /** Whether the groups' data are dealt at random, so that all have labels of one distribution; true by default. */
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
  fetchesOwn = false,
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
    ...{ store, group, model, incarnation, starts: watch, known, onEvent },
    from: fetchesOwn ? [...groups, group] : groups,
    ...{ maxStaleness, keepSnapshots, timeoutSeconds },
  });
  const quarantine = teacherQuarantine(group, onEvent, isAlike);

  function fresh(step: number, of: readonly number[]): readonly SeenTeacher[] {
    const seen = transport.seen(step);
    return of.flatMap((from) => {
      const teacher = seen.get(from);
      const counts = teacher && teacher.step >= burnInSteps && step - teacher.seenAtStep <= maxStaleness;
      return counts && quarantine.admits(teacher, step) ? [teacher] : [];
    });
  }

  return {
    teachers: (step) => fresh(step, groups),
    withOwn: (step) => fresh(step, [...groups, group]),
    observe: quarantine.observe,
    validated: quarantine.validated,
    publish: transport.publish,
    refresh: transport.refresh,
    known: transport.known,
    supersededBy: watch.supersededBy,
    idle: transport.idle,
  };
}
