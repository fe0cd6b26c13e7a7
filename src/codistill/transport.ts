/** The transport of snapshots through a store, in the background: a group publishes its own and fetches the others'. */
import type { StartWatch } from "../checkpoint/claims.js";
import { sha256 } from "../checkpoint/digest.js";
import type { Store } from "../checkpoint/store.js";
import type { ExchangeEvent } from "../log/events.js";
import { checkWeights } from "../nn/fit.js";
import { type Model, weightSpecs } from "../nn/model.js";
import { copyOf, type NamedArrays } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import { latestOnly } from "../train/latest-only.js";
import type { Teacher } from "../train/student.js";
import { newsOf } from "./news.js";

/** A teacher, and the student step at which its snapshot was first seen here. */
export interface SeenTeacher extends Teacher {
  readonly seenAtStep: number;
}

export interface Transport {
  /** The last new snapshot of each group, stale ones too. Those that arrive from now on count as seen at this step. */
  seen(step: number): ReadonlyMap<number, SeenTeacher>;
  /** Look for newer snapshots; one counts as seen at the latest step given before it arrives. */
  refresh(step: number): void;
  /** Publish params, which must not change afterwards. While a publication is running, only the newest params wait. */
  publish(step: number, params: NamedArrays): void;
  /** The last new snapshot of each group. A resumed run needs them, so as to take none for new. */
  known(): readonly SeenTeacher[];
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export interface TransportOptions {
  readonly store: Store;
  readonly group: number;
  /** The groups whose snapshots are fetched. */
  readonly from: readonly number[];
  readonly model: Model;
  readonly incarnation: number;
  /** Checked before each publication: a start that is no longer the group's newest publishes nothing. */
  readonly starts: StartWatch;
  /** Student steps after which a snapshot is stale, so that any other one counts as newer. */
  readonly maxStaleness: number;
  /** Newest own snapshots that stay in the store. */
  readonly keepSnapshots: number;
  /** Seconds that one publication or fetch may take. */
  readonly timeoutSeconds: number;
  /** Snapshots that were seen before, when a run is resumed; copied. */
  readonly known: readonly SeenTeacher[];
  readonly onEvent: (event: ExchangeEvent) => void;
}

/** The transport through a store. Throws {@link CheckpointError} when a known snapshot is not of the model. */
export function snapshotTransport(options: TransportOptions): Transport {
  const { store, group, model, starts, onEvent, timeoutSeconds } = options;
  const loading = import("./exchange-files.js");
  for (const { params } of options.known) checkWeights("the snapshot", params, model);
  const modelDigest = loading.then(({ forwardOnnx }) => sha256(forwardOnnx(model)));
  // Every publication and fetch waits for the digest, and reports its error.
  modelDigest.catch(() => undefined);
  const known = new Map<number, SeenTeacher>(options.known.map((teacher) => [teacher.group, ownCopy(teacher)]));
  const news = newsOf(options.known);
  let now = 0;

  async function fetchFrom(from: number, signal: AbortSignal): Promise<void> {
    const started = performance.now();
    const { maxSnapshotBytes, readPointer, readSnapshot } = await loading;
    const pointer = await readPointer(store, from, signal);
    const last = known.get(from);
    if (!pointer || pointer.sha256 === last?.digest) return;
    const isLastStale = last === undefined || now - last.seenAtStep > options.maxStaleness;
    if (!news.isNew(pointer, isLastStale)) return;
    const maxBytes = maxSnapshotBytes(weightSpecs(model));
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
    if (!(await starts.isNewest(signal))) return;
    const { publishSnapshot, removeOldSnapshots } = await loading;
    const snapshot = { group, step, incarnation: options.incarnation, model: await modelDigest, params };
    const { name, bytes, sha256: digest } = await publishSnapshot(store, snapshot, signal);
    onEvent({ event: "published", group, step, bytes, digest, seconds: (performance.now() - started) / 1000 });
    await removeOldSnapshots(store, group, name, options.keepSnapshots, signal);
  }

  const publishing = latestOnly(timeoutSeconds, write, (message) =>
    onEvent({ event: "exchange-trouble", group, doing: "publish", message }),
  );
  // One for each teacher, so that a fetch that hangs holds up no other.
  const fetching = options.from.map((from) =>
    latestOnly(
      timeoutSeconds,
      (_: null, signal) => fetchFrom(from, signal),
      (message) => onEvent({ event: "exchange-trouble", group, doing: "fetch", from, message }),
    ),
  );

  return {
    seen(step) {
      now = step;
      return known;
    },
    refresh(step) {
      now = step;
      for (const fetch of fetching) fetch.offer(null);
    },
    publish: (step, params) => publishing.offer({ step, params }),
    known: () => [...known.values()],
    async idle() {
      await Promise.all([publishing, ...fetching].map((work) => work.idle()));
    },
  };
}

/** A teacher with its own copy of the params: views of a checkpoint's file would keep the whole file in memory. */
function ownCopy(teacher: SeenTeacher): SeenTeacher {
  return { ...teacher, params: mapValues(teacher.params, copyOf) };
}
