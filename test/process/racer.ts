/**
 * A worker thread that claims at the same instants as its siblings: in race after race, each in a store of its own, they
 * meet at a barrier, claim the only group of the run, and then an incarnation of it. Posts what it got in each race.
 */
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { claimFreeGroup, claimIncarnation } from "../../src/checkpoint/claims.js";
import { ConfigError } from "../../src/errors.js";
import { directoryStore } from "../../src/node/stores/directory-store.js";

export interface RaceData {
  readonly root: string;
  readonly numRaces: number;
  readonly numRacers: number;
  /** One counter for each meeting. */
  readonly arrived: Int32Array<SharedArrayBuffer>;
}

export interface RaceOutcome {
  readonly hasGroup: boolean;
  readonly incarnation: number;
}

const { root, numRaces, numRacers, arrived } = workerData as RaceData;

/** Wait until all have come here. */
function meet(at: number): void {
  if (Atomics.add(arrived, at, 1) + 1 === numRacers) Atomics.notify(arrived, at);
  for (let there = Atomics.load(arrived, at); there < numRacers; there = Atomics.load(arrived, at)) {
    Atomics.wait(arrived, at, there, 1000);
  }
}

const outcomes: RaceOutcome[] = [];
for (let race = 0; race < numRaces; race++) {
  const store = directoryStore(join(root, String(race)));
  meet(2 * race);
  const hasGroup = await claimFreeGroup(store, 1).then(
    () => true,
    (error: unknown) => {
      if (error instanceof ConfigError) return false;
      throw error;
    },
  );
  meet(2 * race + 1);
  outcomes.push({ hasGroup, incarnation: await claimIncarnation(store, 0) });
}
parentPort?.postMessage(outcomes);
