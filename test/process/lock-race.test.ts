import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { deadPid } from "../fixtures/dead-process.js";
import { isFull } from "../fixtures/full.js";

const [NUM_RACES, NUM_RACERS] = [isFull ? 1000 : 100, 3];

/** A process in which koffi cannot be loaded, so that there are no locks of the kernel. */
const withoutKoffi = `import Module from "node:module"; const load = Module._load; Module._load = (name, ...rest) => { if (name === "koffi") throw new Error("none"); return load(name, ...rest); };`;

for (const [how, execArgv] of [
  ["", []],
  [" without locks of the kernel", [`--import=data:text/javascript,${encodeURIComponent(withoutKoffi)}`]],
] as const)
  test(`of ${NUM_RACES} races for the lock that a dead program left each has one winner${how}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), "lock-race-"));
    const entry = fileURLToPath(new URL("./lock-racer.js", import.meta.url));
    const racers = Array.from({ length: NUM_RACERS }, () => fork(entry, [], { execArgv: [...execArgv] }));
    t.after(async () => {
      for (const racer of racers) racer.kill();
      rmSync(root, { recursive: true });
    });
    const dead = JSON.stringify({ pid: deadPid, host: hostname() });
    const answers = (what: string | null) =>
      Promise.all(
        racers.map(async (racer: ChildProcess) => {
          const answer = once(racer, "message");
          racer.send(what as string);
          return (await answer)[0] as string;
        }),
      );
    for (let race = 0; race < NUM_RACES; race++) {
      const folder = join(root, String(race));
      mkdirSync(folder);
      writeFileSync(join(folder, "lock.json"), dead);
      const outcomes = answers(folder);
      writeFileSync(join(folder, "go"), "");
      assert.deepEqual((await outcomes).sort(), ["locked", ...Array(NUM_RACERS - 1).fill("refused")], `race ${race}`);
      await answers(null);
    }
  });
