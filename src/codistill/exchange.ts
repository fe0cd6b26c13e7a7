/** A group's side of the exchange: publishes its own snapshots and fetches the others', always in the background. */
import { sha256 } from "../checkpoint/digest.js";
import { publishSnapshot, readPointer, readSnapshot, removeOldSnapshots } from "../checkpoint/snapshot.js";
import type { Store } from "../checkpoint/store.js";
import { CheckpointError, messageOf } from "../errors.js";
import { describeModel, type Model } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";
import { misfits } from "../runtime/named.js";
import type { ExchangeEvent } from "../train/events.js";
import type { Teacher } from "../train/student.js";

/** A teacher, and the student step at which its snapshot was first seen here. */
export interface SeenTeacher extends Teacher {
  readonly seenAtStep: number;
}

/** What the training loop asks of an exchange. Nothing here makes it wait. */
export interface Exchange {
  /** The freshest whole snapshots that are already here and not too old, in group order. */
  teachers(step: number): readonly SeenTeacher[];
  /** Publish a copy of the student's params; while one is being written only the newest waits. */
  publish(step: number, params: NamedArrays): void;
  /** Look for newer snapshots of the teachers; what arrives counts as seen at this step or the latest one asked for. */
  refresh(step: number): void;
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
  readonly incarnation?: number;
  /** A teacher counts once its own step has come this far; 0 by default. */
  readonly burnInSteps?: number;
  /** A teacher counts until it has been known for this many student steps; 1,000 by default. */
  readonly maxStaleness?: number;
  /** Newest own snapshots that stay in the store; 10 by default. */
  readonly keepSnapshots?: number;
  /** Seconds that one publication or fetch may take; 60 by default. */
  readonly timeoutSeconds?: number;
  /** Teachers to begin with, when a run is resumed. */
  readonly known?: readonly SeenTeacher[];
  readonly onEvent?: (event: ExchangeEvent) => void;
}

/** The exchange through a store. */
export function storeExchange(options: ExchangeOptions): Exchange {
  const {
    store,
    group,
    incarnation = 1,
    burnInSteps = 0,
    maxStaleness = 1000,
    keepSnapshots = 10,
    timeoutSeconds = 60,
  } = options;
  const { onEvent = () => {} } = options;
  const modelDigest = sha256(describeModel(options.model));
  const known = new Map<number, SeenTeacher>((options.known ?? []).map((teacher) => [teacher.group, teacher]));
  let now = 0;

  async function fetchFrom(from: number): Promise<void> {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const started = performance.now();
    const pointer = await readPointer(store, from, signal);
    if (!pointer || pointer.sha256 === known.get(from)?.digest) return;
    const { step, params } = await readSnapshot(store, pointer, await modelDigest, signal);
    checkParams(params, options.model);
    known.set(from, { group: from, step, digest: pointer.sha256, params, seenAtStep: now });
    const seconds = (performance.now() - started) / 1000;
    onEvent({ event: "fetched", group, from, step, bytes: pointer.bytes, digest: pointer.sha256, seconds });
  }

  async function fetchAll(): Promise<void> {
    for (const from of options.teachers) {
      await fetchFrom(from).catch((error: unknown) =>
        onEvent({ event: "exchange-trouble", group, doing: "fetch", from, message: messageOf(error) }),
      );
    }
  }

  async function write({ step, params }: { step: number; params: NamedArrays }): Promise<void> {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const started = performance.now();
    try {
      const snapshot = { group, step, incarnation, model: await modelDigest, params };
      const { bytes, sha256: digest } = await publishSnapshot(store, snapshot, signal);
      onEvent({ event: "published", group, step, bytes, digest, seconds: (performance.now() - started) / 1000 });
      await removeOldSnapshots(store, group, keepSnapshots, signal);
    } catch (error) {
      onEvent({ event: "exchange-trouble", group, doing: "publish", message: messageOf(error) });
    }
  }

  const publishing = latestOnly(write);
  const fetching = latestOnly(fetchAll);

  return {
    teachers(step) {
      now = step;
      return options.teachers.flatMap((from) => {
        const teacher = known.get(from);
        const counts = teacher && teacher.step >= burnInSteps && step - teacher.seenAtStep <= maxStaleness;
        return counts ? [teacher] : [];
      });
    },
    publish: (step, params) => publishing.offer({ step, params }),
    refresh(step) {
      now = step;
      fetching.offer(undefined);
    },
    async idle() {
      await publishing.idle();
      await fetching.idle();
    },
  };
}

/** Run a task in the background on what is offered: one at a time, and of what comes meanwhile only the newest. */
function latestOnly<T>(task: (value: T) => Promise<void>): { offer(value: T): void; idle(): Promise<void> } {
  let waiting: { value: T } | undefined;
  let running: Promise<void> | undefined;
  async function drain(): Promise<void> {
    for (let next = waiting; next; next = waiting) {
      waiting = undefined;
      await task(next.value);
    }
    running = undefined;
  }
  return {
    offer(value) {
      waiting = { value };
      running ??= drain();
    },
    idle: async () => running,
  };
}

/** Throws {@link CheckpointError} unless the params are those of the model, finite every one. */
function checkParams(params: NamedArrays, model: Model): void {
  const [misfit] = misfits(params, model.params);
  if (misfit) throw new CheckpointError(`the snapshot does not fit the model: ${misfit}`);
  for (const [name, { data }] of Object.entries(params)) {
    if (!(data as Float32Array).every(Number.isFinite))
      throw new CheckpointError(`${name} holds values that are not finite`);
  }
}
