/** An exchange for studies of staleness: a group is taught by snapshots of an exact age, and waits for them. */
import type { StartWatch } from "../checkpoint/claims.js";
import { sha256 } from "../checkpoint/digest.js";
import { decodeJson, encodeJson } from "../checkpoint/json.js";
import { atStepFolder, atStepName, stepOfName } from "../checkpoint/layout.js";
import { pointerOf } from "../checkpoint/snapshot.js";
import type { Store } from "../checkpoint/store.js";
import { TrainingError } from "../errors.js";
import type { ExchangeEvent } from "../log/events.js";
import { checkWeights } from "../nn/fit.js";
import { type Model, weightSpecs } from "../nn/model.js";
import { copyOf, type NamedArrays } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import type { Exchange } from "./exchange.js";
import type { SeenTeacher } from "./transport.js";

export interface ExactExchangeOptions {
  readonly store: Store;
  readonly group: number;
  /** The groups whose snapshots teach this one. */
  readonly teachers: readonly number[];
  readonly model: Model;
  readonly incarnation: number;
  /** A start that is no longer the group's newest publishes nothing. */
  readonly starts: StartWatch;
  /** The step from which on teachers teach. */
  readonly burnInSteps: number;
  /** Steps from one teacher to the next. */
  readonly interval: number;
  /** The age of a teacher when it is taken, in steps of its own and of the student alike. */
  readonly staleness: number;
  /** Steps that a group may go back when it is started again: what others need from then on is kept. */
  readonly checkpointInterval: number;
  /** Teachers to begin with, when a run is resumed. */
  readonly known?: readonly SeenTeacher[] | undefined;
  /** Seconds after which a snapshot that does not come is an error; 600 by default. */
  readonly patienceSeconds?: number | undefined;
  readonly onEvent: (event: ExchangeEvent) => void;
}

export interface ExactExchange extends Exchange {
  teachers(step: number, signal?: AbortSignal): Promise<readonly SeenTeacher[]>;
  publish(step: number, params: NamedArrays): void;
  known(): readonly SeenTeacher[];
  idle(): Promise<void>;
}

const MAX_POINTER_BYTES = 64 << 10;
/** Between two looks for a snapshot: at first often, as groups are nearly at the same step. */
const LOOKS = { firstMilliseconds: 1, longestMilliseconds: 50 };
const PATIENCE_SECONDS = 600;

/**
 * At every `interval`-th step s from the burn-in on, teachers become the others' params of step s - `staleness`; before there are any,
 * none. Unlike in an exchange by what has arrived, groups wait for one another, nobody is judged, and every snapshot is written.
 *
 * Its `teachers` throws {@link TrainingError} when a snapshot has not come for ten minutes or could not be written, and
 * {@link CheckpointError} when it is damaged.
 */
export function exactExchange(options: ExactExchangeOptions): ExactExchange {
  const { store, group, model, staleness, interval, burnInSteps, onEvent } = options;
  const loading = import("./exchange-files.js");
  const modelDigest = loading.then(({ forwardOnnx }) => sha256(forwardOnnx(model)));
  modelDigest.catch(() => undefined);
  let current = (options.known ?? []).map((one) => ({ ...one, params: mapValues(one.params, copyOf) }));
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown;
  /** The steps of own snapshots that are in the store, those of earlier starts too. */
  let written: number[] | undefined;
  /** Others are at most `staleness` steps ahead or behind, start again a checkpoint earlier, and then need what is that much older. */
  const keptSteps = 2 * staleness + options.checkpointInterval + 2 * interval;

  async function write(step: number, params: NamedArrays): Promise<void> {
    const started = performance.now();
    if (!(await options.starts.isNewest())) return;
    const { publishSnapshot } = await loading;
    const pointer = await publishSnapshot(store, {
      ...{ group, step, incarnation: options.incarnation, model: await modelDigest, params },
    });
    await store.put(atStepName(group, step), encodeJson(pointer));
    const { bytes, sha256: digest } = pointer;
    onEvent({ event: "published", group, step, bytes, digest, seconds: (performance.now() - started) / 1000 });
    written ??= (await store.list(atStepFolder(group))).map(stepOfName);
    written = [...written.filter((one) => one !== step), step];
    await removeOld(step);
  }

  async function removeOld(step: number): Promise<void> {
    const old = (written ?? []).filter((one) => one < step - keptSteps);
    written = (written ?? []).filter((one) => one >= step - keptSteps);
    for (const one of old) {
      const name = atStepName(group, one);
      const bytes = await store.get(name, undefined, MAX_POINTER_BYTES);
      if (bytes) await store.remove(pointerOf(decodeJson(bytes), name, group).name);
      await store.remove(name);
    }
  }

  async function fetchFrom(from: number, step: number, signal?: AbortSignal): Promise<SeenTeacher> {
    const started = performance.now();
    const { maxSnapshotBytes, readSnapshot } = await loading;
    const name = atStepName(from, step);
    const patience = options.patienceSeconds ?? PATIENCE_SECONDS;
    let wait = LOOKS.firstMilliseconds;
    for (;;) {
      signal?.throwIfAborted();
      const bytes = await store.get(name, signal, MAX_POINTER_BYTES);
      if (bytes) {
        const pointer = pointerOf(decodeJson(bytes), name, from);
        const { params } = await readSnapshot(
          ...([store, pointer, await modelDigest, signal, maxSnapshotBytes(weightSpecs(model))] as const),
        );
        checkWeights("the snapshot", params, model);
        const { bytes: size, sha256: digest } = pointer;
        const seconds = (performance.now() - started) / 1000;
        onEvent({ event: "fetched", group, from, step, bytes: size, digest, seconds });
        return { group: from, step, digest, params, seenAtStep: step };
      }
      if (performance.now() - started > 1000 * patience) {
        throw new TrainingError(
          `group ${group} waits for the params of group ${from} after step ${step}, as algorithm.staleness is ${staleness}, and they have not come for ${patience} s. See the log of that group, and start it again.`,
        );
      }
      await pause(wait, signal);
      wait = Math.min(2 * wait, LOOKS.longestMilliseconds);
    }
  }

  return {
    async teachers(step, signal) {
      if (failure !== undefined) throw failure;
      const taken = burnInSteps + Math.floor((step - burnInSteps) / interval) * interval;
      const wanted = taken - staleness;
      // Params that have learned nothing are published by nobody.
      if (wanted < 1) return [];
      const isHere = current.length === options.teachers.length && current.every((one) => one.step === wanted);
      if (!isHere) {
        current = await Promise.all(options.teachers.map((from) => fetchFrom(from, wanted, signal)));
      }
      return current;
    },
    publish(step, params) {
      writing = writing
        .then(() => (failure === undefined ? write(step, params) : undefined))
        .catch((error: unknown) => {
          failure = error;
          const message = error instanceof Error ? error.message : String(error);
          onEvent({ event: "exchange-trouble", group, doing: "publish", message });
        });
    },
    known: () => current,
    idle: () => writing,
  };
}

/** Resolves after so long, or when the signal aborts. */
function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, milliseconds);
    function end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    }
    signal?.addEventListener("abort", end);
  });
}
