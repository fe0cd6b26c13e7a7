import assert from "node:assert/strict";
import { test } from "node:test";
import { firstLookLines, type LookedColumn } from "./first-look.js";

const numbers = { count: 90, numWhole: 90, min: -3, max: 1200, quantiles: [0, 14.6, 900] };

function column(
  name: string,
  changes: Partial<LookedColumn["figures"]>,
  rest: Partial<LookedColumn> = {},
): LookedColumn {
  const figures = { type: "VARCHAR", kind: "text", numRows: 100, numMissing: 0, numDistinct: 100, isExact: true };
  return {
    figures: { ...figures, name, example: "abc", numbers: null, times: null, ...changes },
    role: "categorical",
    reason: "",
    frequent: [],
    ...rest,
  };
}

test("what each column holds: shares of names, ranges, spans, an example; why no model would read it; how to go on", () => {
  const columns = [
    column(
      "zone",
      { numDistinct: 5 },
      {
        frequent: [
          { value: "north", count: 40 },
          { value: "a\nb", count: 3 },
        ],
      },
    ),
    column("km", { type: "BIGINT", kind: "number", numMissing: 10, numDistinct: 80, numbers }, { role: "numeric" }),
    column("speed", { kind: "number", numbers: { ...numbers, numWhole: 3, min: 0.123456 } }, { role: "numeric" }),
    column(
      "day",
      { kind: "time", times: { min: "2025-01-01 00:00:00", max: "2025-02-01 12:30:00" } },
      { role: "time" },
    ),
    column("id", { numbers }, { role: "ignored", reason: "an identifier" }),
    column("empty", { numMissing: 100, numDistinct: 0, example: null }, { role: "ignored", reason: "no value" }),
  ];
  const source = { format: "csv", numFiles: 1, bytes: 2000, numRows: 100, memoryBytes: 2e9 };
  assert.deepEqual(firstLookLines({ source, columns, hints: [{ text: "read as UTF-16" }] }, 100), [
    "data    100 rows of 6 columns in 1 csv file of 2.0 kB; DuckDB has 2.0 GB of memory, the rest goes to",
    "        disk",
    "",
    "column  type     role         values  missing  holds",
    "zone    VARCHAR  categorical       5           north 40 %, a b 3 %, 3 others",
    "km      BIGINT   numeric          80       10  -3 to 1,200, median 15",
    "speed   VARCHAR  numeric         100           0.1235 to 1,200, median 14.6",
    "day     VARCHAR  time            100           2025-01-01 to 2025-02-01 12:30:00",
    'id      VARCHAR  ignored         100           as "abc"; an identifier',
    "empty   VARCHAR  ignored           0      100  no value",
    "",
    "note    read as UTF-16",
    "",
    "next    name a column to predict, or an expression over columns, with --label: describe then shows",
    "        what training would make of it, and train trains; a language model of a column of texts is",
    "        learned with --field",
  ]);
});
