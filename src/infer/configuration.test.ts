import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { figuresOf } from "../../test/fixtures/column-figures.js";
import { loadConfig } from "../node/runs/load-config.js";
import { resolveConfig } from "../run/config.js";
import { configOfKind } from "../run/kinds/kinds.js";
import { configurationOf, configurationText, type Inferred } from "./configuration.js";
import { featureNames } from "./features.js";
import { choosePlan } from "./plan.js";
import { rankSplit, splitInput, timeSplit } from "./split.js";
import { columnSql } from "./sql.js";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "codistill-infer-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const plan = choosePlan({
  task: "binary",
  numClasses: 2,
  numTrain: 5000,
  numValidation: 600,
  features: [],
  cores: 2,
  memoryBytes: 8e9,
});

function inferred(columns: readonly string[], changes: Partial<Inferred> = {}): Inferred {
  const nameOf = featureNames([]);
  return {
    name: "rides",
    source: ["rides/*.parquet"],
    label: { sql: "late", task: "binary", positive: "1", reason: "two different values" },
    columns: columns.map((name, i) => ({
      figures: figuresOf({ type: "VARCHAR", name }),
      role: i === 1 ? ("ignored" as const) : ("categorical" as const),
      reason: `reason of ${name}`,
      features:
        i === 1
          ? []
          : [{ name: nameOf(name), kind: i % 3 === 2 ? "numeric" : "categorical", sql: columnSql(name), numIds: 9 }],
    })),
    pairs: [],
    split: rankSplit(true, "(late) is not null"),
    rows: { train: 5000, validation: 600, test: 610 },
    plan,
    ...changes,
  };
}

/** The configuration that a text is, with the file it came from. */
async function loaded(text: string) {
  const path = join(folder, "codistill.config.ts");
  await writeFile(path, text);
  return loadConfig(path);
}

async function checkRoundTrip(value: Inferred): Promise<void> {
  const { data, ...rest } = configOfKind(resolveConfig(configurationOf(value)), "table", "this");
  const source = [data.source].flat().map((path) => join(folder, path));
  assert.deepEqual(await loaded(configurationText(value)), { ...rest, data: { ...data, source } });
}

test("the text loads back to the same configuration, whatever the columns are called", async () => {
  await checkRoundTrip(inferred(["zone", "id", "km"]));
  const strange = ["a\"b'c", `x\`${"$"}{y}\\`, "two\nlines", "*/ //", "constructor", "__proto__", "7", "\u2028"];
  await checkRoundTrip(inferred(["city", ...strange], { source: ["a.csv", "b'\".csv"] }));
  const split = timeSplit("started", "'2025-05-01'", "'2025-06-01'", null);
  await checkRoundTrip(inferred(["zone"], { split }));
  const columns = fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(columns, (names) => checkRoundTrip(inferred([...new Set(names)]))),
    { numRuns: 15 },
  );
});

test("a label of numbers has its options, and no temperature", async () => {
  for (const options of [undefined, { least: 0 }, { scale: "log" as const }]) {
    const numbers = { sql: "delay", task: "regression" as const, positive: null, reason: "numbers" };
    const label = { ...numbers, ...(options && { options }) };
    const value = inferred(["zone"], { label });
    assert.deepEqual(configurationOf(value).task, { kind: "regression", ...options });
    await checkRoundTrip(value);
  }
});

test("the text says why, and what is not used", () => {
  const text = configurationText(inferred(["zone", "id", "km"]));
  for (const line of [
    "// - id: reason of id",
    "      // zone: reason of zone",
    "    // binary: two different values",
    "    // 80 / 10 / 10 by chance, each class likewise: 5000, 600 and 610 rows",
    '      where: "(late) is not null",',
    '    positive: "1",',
    '  task: { kind: "binary", temperature: true },',
    `import type { RunInput } from "codistill";`,
  ])
    assert.ok(text.split("\n").includes(line), `${line}\n${text}`);
});

test("a split is written with what it does not say by default", () => {
  const shares = { validation: 0.1, test: 0.1 };
  assert.deepEqual(splitInput(rankSplit(true, null)), { kind: "rows", shares, seed: 1, keepEqual: true });
  assert.deepEqual(splitInput(rankSplit(false, "x > 1", "customer")), {
    kind: "rows",
    shares,
    seed: 1,
    groupBy: "customer",
    where: "x > 1",
  });
  assert.deepEqual(splitInput(timeSplit("t", "'2025-05-01'", "'2025-06-01'", "(y) is not null")), {
    train: "t < '2025-05-01' and (y) is not null",
    validation: "t >= '2025-05-01' and t < '2025-06-01' and (y) is not null",
    test: "t >= '2025-06-01' and (y) is not null",
  });
});
