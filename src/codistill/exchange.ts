/** A group's side of the exchange: publishes its own snapshots and fetches the others', always in the background. */
import { sha256 } from "../checkpoint/digest.js";
import {
  maxSnapshotBytes,
  publishSnapshot,
  readPointer,
  readSnapshot,
  removeOldSnapshots,
} from "../checkpoint/snapshot.js";
import type { Store } from "../checkpoint/store.js";
import { CheckpointError, StoreError } from "../errors.js";
import type { ExchangeEvent } from "../log/events.js";
import { checkWeights } from "../nn/fit.js";
import { forwardOnnx, type Model, weightSpecs } from "../nn/model.js";
import { copyOf, type NamedArrays } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import type { StepMetrics, Teacher } from "../train/student.js";
import { troubleTeller } from "../train/trouble.js";
import { readStarts } from "./claim.js";
import { newsOf } from "./news.js";
import { teacherQuarantine } from "./quarantine.js";

/** A teacher, and the student step at which its snapshot was first seen here. */
export interface SeenTeacher extends Teacher {
  readonly seenAtStep: number;
}

/** What the training loop asks of an exchange. Nothing here makes it wait, but a replay that reads its teachers. */
export interface Exchange {
  /** The freshest whole snapshots that are already here and not too old, in group order. */
  teachers(step: number): readonly SeenTeacher[] | Promise<readonly SeenTeacher[]>;
  /** Look at what a step showed of its teachers: those that are ill are left out for a while. */
  judge(step: number, teachers: readonly Teacher[], metrics: StepMetrics): void;
  /** Note the student's validation loss: what its own step shows of it, its teachers need not surpass. */
  validated(loss: number): void;
  /** All snapshots that were seen, stale ones too: what a resumed run must know, so that none is taken for fresh. */
  known(): readonly SeenTeacher[];
  /** Publish params, which must not change after; while some are being written only the newest wait. */
  publish(step: number, params: NamedArrays): void;
  /** Look for newer snapshots of the teachers; what arrives counts as seen at this step or the latest one asked for. */
  refresh(step: number): void;
  /** The later incarnation of this group that a publication met; this one publishes no more, and should stop. */
  readonly supersededBy: number | null;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** An exchange that has its teachers at hand. */
export interface StoreExchange extends Exchange {
  teachers(step: number): readonly SeenTeacher[];
}

export interface ExchangeOptions {
  readonly store: Store;
  readonly group: number;
  /** The groups whose snapshots teach this one. */
  readonly teachers: readonly number[];
  readonly model: Model;
  /** How many times this group has been started; 1 by default. */
  readonly incarnation?: number;
  /** A teacher counts once its own step has come this far; 0 by default. */
  readonly burnInSteps?: number;
  /** A teacher counts until it has been known for this many student steps; 1,000 by default. */
  readonly maxStaleness?: number;
  /** Whether chance alone deals the groups' data, so that labels of all are alike; true by default. */
  readonly isAlike?: boolean;
  /** Newest own snapshots that stay in the store; 10 by default. */
  readonly keepSnapshots?: number;
  /** Seconds that one publication or fetch may take; 60 by default. */
  readonly timeoutSeconds?: number;
  /** Teachers to begin with, when a run is resumed; copied. */
  readonly known?: readonly SeenTeacher[];
  readonly onEvent?: (event: ExchangeEvent) => void;
}

/** The exchange through a store. Throws {@link CheckpointError} when a known teacher is not of the model. */
export function storeExchange({
  store,
  group,
  teachers: groups,
  model,
  incarnation = 1,
  burnInSteps = 0,
  maxStaleness = 1000,
  isAlike = true,
  keepSnapshots = 10,
  timeoutSeconds = 60,
  known: first = [],
  onEvent = () => {},
}: ExchangeOptions): StoreExchange {
  const maxBytes = maxSnapshotBytes(weightSpecs(model));
  for (const { params } of first) checkWeights("the snapshot", params, model);
  const modelDigest = sha256(forwardOnnx(model));
  const known = new Map<number, SeenTeacher>(first.map((teacher) => [teacher.group, ownCopy(teacher)]));
  let now = 0;
  let supersededBy: number | null = null;
  let wasClaimed = false;
  const quarantine = teacherQuarantine(group, onEvent, isAlike);
  const news = newsOf(first);
  const told = new Set<string>();

  async function fetchFrom(from: number, signal: AbortSignal): Promise<void> {
    const started = performance.now();
    const pointer = await readPointer(store, from, signal);
    const last = known.get(from);
    if (!pointer || pointer.sha256 === last?.digest) return;
    const isLastStale = last === undefined || now - last.seenAtStep > maxStaleness;
    if (!news.isNew(pointer, isLastStale)) return;
    const { step, params } = await readSnapshot(store, pointer, await modelDigest, signal, maxBytes);
    checkWeights("the snapshot", params, model);
    signal.throwIfAborted();
    news.take(pointer);
    known.set(from, { group: from, step, digest: pointer.sha256, params, seenAtStep: now });
    const seconds = (performance.now() - started) / 1000;
    onEvent({ event: "fetched", group, from, step, bytes: pointer.bytes, digest: pointer.sha256, seconds });
  }

  async function write({ step, params }: { step: number; params: NamedArrays }, signal: AbortSignal): Promise<void> {
    const started = performance.now();
    const { newest, isClaimed, strays } = await readStarts(store, group, incarnation, signal);
    if (newest > incarnation) {
      supersededBy = newest;
      return;
    }
    // Where a disk is no longer mounted, another folder may take all that is written.
    if (wasClaimed && !isClaimed) throw lostStore(group, incarnation);
    wasClaimed ||= isClaimed;
    tellOfStrays(step, strays);
    const snapshot = { group, step, incarnation, model: await modelDigest, params };
    const { name, bytes, sha256: digest } = await publishSnapshot(store, snapshot, signal);
    onEvent({ event: "published", group, step, bytes, digest, seconds: (performance.now() - started) / 1000 });
    await removeOldSnapshots(store, group, name, keepSnapshots, signal);
  }

  /** Of those that lie beside the claims of this group's starts each is told of once. */
  function tellOfStrays(step: number, names: readonly string[]): void {
    const unknown = names.filter((name) => !told.has(name));
    if (unknown.length === 0) return;
    for (const name of unknown) told.add(name);
    const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : "";
    const message = `no start of group ${group} made ${unknown.slice(0, 3).join(", ")}${more}, and it is ignored. Find out what wrote it, and remove it.`;
    onEvent({ event: "warning", group, step, message });
  }

  const publishing = latestOnly(timeoutSeconds, write, (message) =>
    onEvent({ event: "exchange-trouble", group, doing: "publish", message }),
  );
  // One for each teacher, so that a fetch that hangs holds up no other.
  const fetching = groups.map((from) =>
    latestOnly(
      timeoutSeconds,
      (_: null, signal) => fetchFrom(from, signal),
      (message) => onEvent({ event: "exchange-trouble", group, doing: "fetch", from, message }),
    ),
  );

  return {
    teachers(step) {
      now = step;
      return groups.flatMap((from) => {
        const teacher = known.get(from);
        const counts = teacher && teacher.step >= burnInSteps && step - teacher.seenAtStep <= maxStaleness;
        return counts && quarantine.admits(teacher, step) ? [teacher] : [];
      });
    },
    judge: quarantine.judge,
    validated: quarantine.validated,
    known: () => [...known.values()],
    get supersededBy() {
      return supersededBy;
    },
    publish: (step, params) => publishing.offer({ step, params }),
    refresh(step) {
      now = step;
      for (const fetch of fetching) fetch.offer(null);
    },
    async idle() {
      await Promise.all([publishing, ...fetching].map((work) => work.idle()));
    },
  };
}

function lostStore(group: number, incarnation: number): StoreError {
  return new StoreError(
    `the store knew start number ${incarnation} of group ${group}, and does not any more: its disk is not mounted, or somebody ` +
      "removed what was in it. Nothing is published until it is back.",
  );
}

/** A teacher in memory of its own: one from a checkpoint lies in that of the whole file, and would keep it all. */
function ownCopy(teacher: SeenTeacher): SeenTeacher {
  return { ...teacher, params: mapValues(teacher.params, copyOf) };
}

interface Background<T> {
  offer(value: T): void;
  idle(): Promise<void>;
}

/**
 * Run a task in the background on what is offered: one at a time, and of what comes meanwhile only the newest. A task
 * that fails, or has not ended in time, is given up, and told of once for each kind of trouble.
 */
function latestOnly<T>(
  timeoutSeconds: number,
  task: (value: T, signal: AbortSignal) => Promise<void>,
  onTrouble: (message: string) => void,
): Background<T> {
  const trouble = troubleTeller(onTrouble);
  let waiting: { value: T } | undefined;
  let running: Promise<void> | undefined;
  async function drain(): Promise<void> {
    try {
      for (let next = waiting; next; next = waiting) {
        const { value } = next;
        waiting = undefined;
        await inTime(timeoutSeconds, (signal) => task(value, signal)).then(trouble.wentWell, trouble.wentWrong);
      }
    } finally {
      running = undefined;
    }
  }
  return {
    offer(value) {
      waiting = { value };
      running ??= drain();
    },
    idle: async () => running,
  };
}

/** Some work, or its failure when it takes too long: a store may never answer, and may not heed the signal. */
async function inTime(seconds: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const timeout = new AbortController();
  const late = new Promise<never>((_, reject) => {
    timeout.signal.addEventListener("abort", () => reject(timeout.signal.reason));
  });
  const timer = setTimeout(
    () =>
      timeout.abort(new StoreError(`the store has not answered for ${seconds} s; tried again at the next interval`)),
    seconds * 1000,
  );
  try {
    await Promise.race([work(timeout.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
