import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { ConfigError, DataError } from "../../errors.js";
import { openDuckdb } from "./duckdb.js";
import { memoryBudget } from "./memory.js";

test("the memory for data is what is asked for, or half of what is free", () => {
  assert.deepEqual(
    ["500MB", "1.5 GB", " 2gb "].map((given) => memoryBudget(given)),
    [500e6, 1.5e9, 2e9],
  );
  assert.equal(memoryBudget("", 7_001_500_000), 3_500e6);
  assert.equal(memoryBudget("", 100e6), 256e6);
  assert.ok(memoryBudget("") >= 256e6);
  for (const wrong of ["5", "much", "10MB", "-1GB", "1e99GB"]) {
    assert.throws(
      () => memoryBudget(wrong),
      (error) =>
        error instanceof ConfigError && /CODISTILL_MEMORY must be a size of at least 256 MB.*got/.test(error.message),
      wrong,
    );
  }
});

test("what needs more memory than it may use is told so, with the cure", async () => {
  const before = process.env.CODISTILL_MEMORY;
  process.env.CODISTILL_MEMORY = "256MB";
  const db = await openDuckdb(tmpdir()).finally(() => {
    if (before === undefined) delete process.env.CODISTILL_MEMORY;
    else process.env.CODISTILL_MEMORY = before;
  });
  try {
    await assert.rejects(
      db.rows("select len(list(i)) from range(200000000) t(i)"),
      (error) => error instanceof DataError && /256\.0 MB.*Give it more, as CODISTILL_MEMORY=512MB/.test(error.message),
    );
  } finally {
    await db.close();
  }
});
