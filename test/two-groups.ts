/** Two groups of a run in this process, from a table's file to the result and the exported model. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore, type Store } from "../src/checkpoint/store.js";
import { rowsOfSlots, slotsUnder } from "../src/data/shard.js";
import type { RunResult, TrainEvent } from "../src/log/events.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { type PreparedTable, prepareTable } from "../src/node/table/ingest.js";
import { tableSpecOf } from "../src/node/table/table-reader.js";
import { algorithmOf } from "../src/run/algorithms.js";
import { exportModel } from "../src/run/export.js";
import { runGroup } from "../src/run/group.js";
import type { TableRunConfig } from "../src/run/kinds/table.js";
import { tableLearner } from "../src/run/learner.js";
import { type BestParams, readBest, scoreRun } from "../src/run/score.js";
import { tableWorkload } from "../src/run/table-work.js";
import { gate, waitingEngine } from "./tiny-run.js";

export interface TwoGroups {
  readonly table: PreparedTable;
  readonly events: readonly (readonly TrainEvent[])[];
  readonly result: RunResult;
  /** Group 0's best, exported. */
  readonly model: Uint8Array;
}

/**
 * Train two groups on a CSV. At the end of burn-in each waits for the other's first snapshot, so that chance does not
 * decide whether they teach one another; `burnInSteps` must be a multiple of `logInterval`.
 */
export async function trainTwoGroups(config: TableRunConfig, csv: string): Promise<TwoGroups> {
  const folder = await mkdtemp(join(tmpdir(), "codistill-two-groups-"));
  try {
    const source = join(folder, "rows.csv");
    await writeFile(source, csv);
    const spec = tableSpecOf({ ...config, data: { ...config.data, source } });
    const table = await prepareTable(spec, { cacheFolder: join(folder, "cache") });
    const store = memoryStore();
    const groups = [0, 1].map((group) => watched(config, group, store));
    const files = groups.map(() => memoryStore());
    await Promise.all(
      groups.map(({ engine, own, log }, groupIndex) =>
        runGroup({
          config,
          groupIndex,
          workload: tableWorkload(config, {
            ...table,
            shard: rowsOfSlots(table.train.slotOffsets, slotsUnder(config.data.regime, groupIndex, 2)),
          }),
          engine,
          threads: 1,
          store: own,
          files: files[groupIndex] as Store,
          log: (event) => log(event, groups[1 - groupIndex]?.published.opened ?? Promise.resolve()),
          stop: new AbortController().signal,
          process: { pid: 1 },
        }),
      ),
    );
    await Promise.all(groups.map(({ engine }) => engine.close()));
    const best = (await Promise.all(files.map((own) => readBest(own)))) as BestParams[];
    const learner = tableLearner(config, table.preprocessing);
    const scorer = onnxRuntimeEngine({ threads: 1 });
    const record = { stepsPerSecond: 0, bytesPublished: 0, bytesFetched: 0, ended: "finished" } as const;
    const records = best.map((own, group) => ({ group, ...record, best: own }));
    const result = await scoreRun(scorer, learner, records, table.test, 0);
    await scorer.close();
    const model = exportModel(learner, table.preprocessing, table.serving, best[0]?.params ?? {}, {});
    return { table, events: groups.map(({ events }) => events), result, model };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A group's engine, store and log, in which no step begins before what it must wait for has come. */
function watched(config: TableRunConfig, group: number, store: Store) {
  const events: TrainEvent[] = [];
  const published = gate();
  const fetched = gate();
  let mustCome: Promise<unknown> = Promise.resolve();
  const engine = waitingEngine(onnxRuntimeEngine({ threads: 1 }), () => mustCome);
  const own: Store = {
    ...store,
    async get(name, signal, maxBytes) {
      const bytes = await store.get(name, signal, maxBytes);
      if (bytes && name === `groups/${1 - group}/latest.json`) mustCome = fetched.opened;
      return bytes;
    },
  };
  const log = (event: TrainEvent, publishedByOther: Promise<void>) => {
    events.push(event);
    if (event.event === "published") published.open();
    if (event.event === "fetched") fetched.open();
    if (event.event === "step" && event.step === algorithmOf(config).teachesFrom) mustCome = publishedByOther;
  };
  return { engine, own, log, events, published };
}
