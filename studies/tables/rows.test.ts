import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { prepareTable } from "../../src/node/table/ingest.js";
import { tableSpecOf } from "../../src/node/table/table-reader.js";
import { resolveConfig } from "../../src/run/config.js";
import { configOfKind } from "../../src/run/kinds/kinds.js";
import { writeSplitRows } from "./rows.js";

test("other models get the very rows of a run, by split, with labels as it reads them and without what the label is made of", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rows-"));
  try {
    const source = join(folder, "late.csv");
    const lines = Array.from(
      { length: 50 },
      (_, i) => `${i % 7},2024-01-${10 + (i % 20)},c${i % 3},"${i % 2 ? "1,5" : ""}",${i}`,
    );
    writeFileSync(source, ["delay,day,carrier,load,row number", ...lines].join("\n"));
    const config = configOfKind(
      resolveConfig({
        name: "late",
        data: {
          source,
          label: '"delay" >= 3',
          categorical: { carrier: '"carrier"' },
          numeric: { load: '"load"' },
          decimal: ",",
          split: { kind: "rows", shares: { validation: 0.2, test: 0.2 }, seed: 1, keepEqual: false },
        },
        model: { kind: "mlp", hidden: [4] },
        optimizer: { kind: "adam", learningRate: 0.001 },
        numGroups: 1,
        numSteps: 1,
        globalBatchSize: 4,
      }),
      "table",
      "this test",
    );
    const rows = await writeSplitRows(config, { ignore: ["row number"], names: [] }, join(folder, "rows"));
    assert.deepEqual(rows.columns, [
      { name: "day", kind: "time" },
      { name: "carrier", kind: "name" },
      { name: "load", kind: "number" },
    ]);
    const run = await prepareTable(tableSpecOf(config), { cacheFolder: join(folder, "cache") });
    assert.deepEqual(rows.counts, { train: run.train.numRows, validation: 10, test: 10 });
    assert.equal(rows.counts.train, 30);
    const written = readFileSync(rows.file, "utf8").trimEnd().split("\n").slice(1);
    assert.equal(written.length, 50);
    for (const [i, line] of written.entries()) {
      const [split = "", label, day, carrier, load] = line.split(",");
      assert.match(split, /^[012]$/);
      assert.deepEqual(
        [Number(label), day, carrier, load],
        [Number(i % 7 >= 3), `2024-01-${10 + (i % 20)}`, `c${i % 3}`, i % 2 ? "1.5" : ""],
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
