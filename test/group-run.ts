/** One group of a tiny run in this process, its stores in memory. */
import { memoryStore, type Store } from "../src/checkpoint/store.js";
import type { Preprocessing } from "../src/data/table.js";
import type { TrainEvent } from "../src/log/events.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { runGroup } from "../src/run/group.js";
import type { TableRunInput } from "../src/run/input/run.js";
import { readSavedGroup, type SavedGroup } from "../src/run/saved-group.js";
import type { Replay } from "../src/run/start.js";
import { type TableShard, tableWorkload } from "../src/run/table-work.js";
import type { NamedArrays } from "../src/runtime/array.js";
import { gate, tinyConfig, tinyPreprocessing, tinyRows, waitingEngine } from "./tiny-run.js";

/** The tiny table as a group gets it: the whole of it is its shard. */
export function tinyData(preprocessing: Preprocessing = tinyPreprocessing): TableShard {
  const train = tinyRows(96, 1);
  return {
    digest: "d".repeat(64),
    preprocessing,
    train,
    shard: Uint32Array.from({ length: train.numRows }, (_, row) => row),
    validation: tinyRows(200, 50),
  };
}

export interface TinyRun {
  readonly changes?: Partial<TableRunInput>;
  readonly groupIndex?: number;
  readonly store?: Store;
  readonly files?: Store;
  readonly data?: TableShard;
  /** Params to begin from. */
  readonly init?: NamedArrays;
  /** Ask the group to stop once it has logged this step. */
  readonly stopAt?: number;
  /** Ask it to stop while it is in its n-th run of a program, counted from 0; the engine lets a run come to its end. */
  readonly stopInRun?: number;
  /** Aborted to ask the group to stop. */
  readonly stop?: AbortController;
  /** Told of every event as it is logged. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** That the run lives in a store elsewhere. */
  readonly isJoined?: boolean;
  /** What a recorded group left, to be repeated. */
  readonly replay?: Replay;
  /** Let no step begin while the first snapshot of group 1 is on its way, so that chance does not decide when it comes. */
  readonly awaitTeacher?: boolean;
}

export interface TinyOutcome {
  readonly reason: "finished" | "stopped" | Error;
  readonly events: readonly TrainEvent[];
  readonly files: Store;
  readonly checkpoint: SavedGroup | null;
}

/** Run a group to its end, whatever that is. */
export async function runTiny(options: TinyRun = {}): Promise<TinyOutcome> {
  const {
    init,
    changes = {},
    groupIndex = 0,
    store = memoryStore(),
    files = memoryStore(),
    data = tinyData(),
    stop = new AbortController(),
  } = options;
  const events: TrainEvent[] = [];
  const { opened, open } = gate();
  let isOnItsWay = false;
  const watched: Store = {
    ...store,
    get(name, signal, maxBytes) {
      if (name === "groups/1/latest.json") isOnItsWay = true;
      return store.get(name, signal, maxBytes);
    },
  };
  let runs = 0;
  const engine = waitingEngine(onnxRuntimeEngine({ threads: 1 }), async () => {
    if (options.awaitTeacher && isOnItsWay) await opened;
    if (runs++ === options.stopInRun) stop.abort();
  });
  const config = tinyConfig(changes);
  const running = runGroup({
    config,
    groupIndex,
    workload: tableWorkload(config, data),
    ...(init && { readInit: async () => init }),
    engine,
    threads: 1,
    store: watched,
    files,
    log(event) {
      events.push(event);
      options.onEvent?.(event);
      if (event.event === "fetched") open();
      if (event.event === "step" && event.step === options.stopAt) stop.abort();
    },
    stop: stop.signal,
    process: { pid: 1 },
    ...(options.isJoined && { isJoined: true }),
    ...(options.replay && { replay: options.replay }),
  });
  const reason = await running.catch((error: Error) => error);
  await engine.close();
  return { reason, events, files, checkpoint: await readSavedGroup(files) };
}

/** Events as short lines without those of the exchange, which come when they come: `step 10`, `checkpoint 20`. */
export function ownEvents(events: readonly TrainEvent[]): string[] {
  return events.flatMap((event) => {
    switch (event.event) {
      case "group-start":
      case "step":
      case "validation":
      case "checkpoint":
      case "step-skipped":
        return [`${event.event} ${event.step}`];
      case "restored":
        return [`${event.event} ${event.step} from ${event.fromStep}`];
      case "group-end":
        return [`${event.event} ${event.step} ${event.reason}`];
      default:
        return [];
    }
  });
}
