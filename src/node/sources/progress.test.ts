import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { withShares } from "./progress.js";

test("stages are told, and each tenth of what takes long", async () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const told: string[] = [];
  let share: number | null = null;
  const after = (...shares: (number | null)[]) => {
    for (share of shares) mock.timers.tick(1000);
  };
  const result = await withShares(
    (stage) => told.push(stage),
    { progress: () => share },
    async (tell) => {
      tell("reading");
      after(null, 0.04, 0.17, 0.19, 0.55, 1);
      // Another statement.
      after(0.02, 0.31);
      tell("checking");
      after(0.05);
      return 7;
    },
  );
  after(0.9);
  mock.timers.reset();
  assert.equal(result, 7);
  assert.deepEqual(told, ["reading", "reading: 10 %", "reading: 50 %", "reading: 30 %", "checking"]);
});
