/** The group of `exchange-cost.ts`, a process as a run starts it: measures one size and sends its figures to its parent. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { codistill } from "../src/codistill/codistill.js";
import { storeExchange } from "../src/codistill/exchange.js";
import type { ExchangeEvent } from "../src/log/events.js";
import { countParams } from "../src/nn/model.js";
import { threadedEngine } from "../src/node/ort/threaded-engine.js";
import { directoryStore } from "../src/node/stores/directory-store.js";
import { rootKey } from "../src/runtime/random.js";
import { engineStudent } from "../src/train/student.js";
import { batchOf, learnerOf, sizeNamed } from "./exchange-sizes.js";
import { type Block, pairStatistics } from "./exchange-statistics.js";
import { mean, median } from "./statistics.js";

const INTERVAL = 50;
const NUM_STEPS_OFF = 25;
const NUM_STEPS_WARM_UP = 4;
const threads = availableParallelism();

async function measure(name: string) {
  const size = sizeNamed(name);
  const learner = learnerOf(size);
  const root = await mkdtemp(join(tmpdir(), "exchange-cost-"));
  const neighbour = fork(fileURLToPath(new URL("./exchange-neighbour.js", import.meta.url)), [root, name]);
  const engine = threadedEngine({ threads });
  try {
    const student = engineStudent({ engine, learner });
    await student.init(rootKey(1));
    const events: ExchangeEvent[] = [];
    const exchange = storeExchange({
      store: directoryStore(root),
      group: 0,
      teachers: [1],
      model: learner.model,
      keepSnapshots: 2,
      onEvent: (event) => events.push(event),
    });
    const batch = batchOf(size);
    const block = async (numSteps: number, isExchanging: boolean): Promise<Block> => {
      const interval = isExchanging ? INTERVAL : Number.POSITIVE_INFINITY;
      const loop = codistill({
        student,
        stream: { next: () => batch },
        exchange,
        numSteps: student.step + numSteps,
        // So that the exchange is due at the first step.
        burnInSteps: student.step + 1 - INTERVAL,
        publishInterval: interval,
        exchangeInterval: interval,
      });
      const stepMs: number[] = [];
      const cpu = process.cpuUsage();
      const busy = performance.eventLoopUtilization();
      for (let started = performance.now(); !(await loop.next()).done; started = performance.now())
        stepMs.push(performance.now() - started);
      const { user, system } = process.cpuUsage(cpu);
      const mainMs = performance.eventLoopUtilization(busy).active;
      return { stepMs, cpuMs: (user + system) / 1000, mainMs };
    };
    const neighbourPublishes = async (step: number) => {
      neighbour.send(step);
      await once(neighbour, "message");
    };

    await once(neighbour, "message");
    await neighbourPublishes(1);
    exchange.refresh(student.step);
    await exchange.idle();
    await block(NUM_STEPS_WARM_UP, false);
    const pairs: { on: Block; off: Block }[] = [];
    for (let pair = 0; pair < size.numPairs; pair++) {
      await neighbourPublishes(student.step);
      const on = await block(INTERVAL, true);
      await exchange.idle();
      pairs.push({ on, off: await block(NUM_STEPS_OFF, false) });
    }
    const of = (kind: string) => events.filter(({ event }) => event === kind) as { bytes: number; seconds: number }[];
    const [published, fetched] = [of("published"), of("fetched").slice(1)];
    if (published.length !== size.numPairs || fetched.length !== size.numPairs)
      throw new Error(`each of ${size.numPairs} pairs must publish and fetch once: ${JSON.stringify(events)}`);
    const { minutes: _, ...measured } = size;
    return {
      size: name,
      numParams: countParams(learner.model),
      ...measured,
      snapshotBytes: mean(published.map(({ bytes }) => bytes)),
      publishMs: 1000 * median(published.map(({ seconds }) => seconds)),
      fetchMs: 1000 * median(fetched.map(({ seconds }) => seconds)),
      ...pairStatistics(pairs),
      pairs,
    };
  } finally {
    neighbour.disconnect();
    await engine.close();
    await rm(root, { recursive: true });
  }
}

const [name = ""] = process.argv.slice(2);
process.send?.(await measure(name));
process.disconnect();
