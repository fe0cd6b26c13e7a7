/** Expressions in a served model against DuckDB's own results, row by row. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { enclosed } from "../../data/sql.js";
import { toModel } from "../../graph/onnx.js";
import { encodeModel } from "../../graph/onnx-proto.js";
import { input } from "../../graph/ops.js";
import type { Serving } from "../../serving/expression.js";
import { servedFrom } from "../../serving/prelude.js";
import { servingOf } from "../../serving/serving.js";
import { InferenceSession, Tensor } from "../ort/library.js";
import { type Database, openDuckdb } from "../sources/duckdb.js";
import { checkedSql } from "./checked-sql.js";
import { type CheckedInput, servedRows } from "./served-rows.js";
import { sqlReader } from "./sql-tree.js";

const NUM_ROWS = 3000;
/** Columns that are called as what a model has names for itself. */
const ofModels = ["probability", "kept prediction", "numbers"];
const columns = ["a", "b", "f", "d", "s", "u", "t", "day", "y", "big", "two words", ...ofModels];

let folder = "";
let db: Database;

/** Values of all kinds, a fifth of each missing; times from the year 1 to 9999, most of them of this century. */
const rowsSql = `
  with r as (select i, (hash(i * 7 + 1) % 1000) / 1000.0 as r1, (hash(i * 7 + 2) % 1000) / 1000.0 as r2,
    cast(hash(i * 7 + 3) // 2 as bigint) as h3, cast(hash(i * 7 + 4) // 2 as bigint) as h4 from range(${NUM_ROWS}) as of_rows(i))
  select
    case when i % 5 <> 0 then cast(h3 % 41 as int) - 20 end as a,
    case when i % 7 <> 0 then case when i % 3 = 0 then round(8 * r1 - 4) + 0.0 else 8 * r1 - 4 end end as b,
    case when i % 5 <> 1 then cast(8 * r2 - 4 as float) end as f,
    case when i % 5 <> 2 then cast(h4 % 1001 as decimal(8, 2)) / 4 end::decimal(8, 2) as d,
    case when i % 5 <> 3 then ['x', 'y', 'Zürich 東京', 'it''s', '12', ' '][1 + h3 % 6] end as s,
    case when i % 5 <> 4 then ['x', 'q', 'r'][1 + h4 % 3] end as u,
    case when i % 6 = 0 then null when i % 6 = 1
      then timestamp '0001-01-01' + to_microseconds(h3 % 315537897600 * 1000000)
      else timestamp '1999-12-25 12:30:00' + to_microseconds(h4 % 1000000000000000) end as t,
    case when i % 4 <> 0 then date '1968-02-20' + cast(h3 % 40000 as int) end as day,
    case when i % 5 <> 0 then h4 % 2 = 0 end as y,
    case when i % 5 <> 0 then 9007199254740993 + h3 % 3 end as big,
    ['n/a', '1.5', '-3', null][1 + h3 % 4] as "two words",
    ${ofModels.map((name) => `i as "${name}"`).join(", ")}
  from r order by i`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "codistill-serving-"));
  db = await openDuckdb(folder);
  await db.run(`create table source_rows as ${rowsSql}`);
  await db.run("create table source_shape as select * from source_rows limit 0");
});
after(async () => {
  await db.close();
  await rm(folder, { recursive: true });
});

async function served(sql: string, vocabulary: readonly string[] | null): Promise<Serving> {
  return servingOf([{ name: "x", sql, vocabulary }], columns, sqlReader(db));
}

/** What a model that holds nothing but the feature makes of all rows. */
async function computed(serving: Serving, vocabulary: readonly string[] | null): Promise<number[]> {
  const dtype = vocabulary === null ? "float32" : "int32";
  const model = toModel({ outputs: { value: input("features.x", ["batch"], dtype) }, updates: {} });
  const preprocessing = { vocabularies: vocabulary === null ? {} : { x: vocabulary }, numeric: {} };
  const session = await InferenceSession.create(encodeModel(servedFrom(model, serving, preprocessing)));
  const values: number[] = [];
  const checked: CheckedInput[] = [];
  for (const one of serving.inputs) checked.push({ ...one, sql: await checkedSql(sqlReader(db), one.name, one.sql) });
  for await (const { inputs } of servedRows(db, checked)) {
    const feeds = serving.inputs.map(({ name }, i) => {
      const column = inputs[i] ?? [];
      return [name, new Tensor(Array.isArray(column) ? "string" : "float64", column as string[], [column.length])];
    });
    const { value } = await session.run(Object.fromEntries(feeds));
    assert.ok(value);
    values.push(...(value.data as Float32Array));
  }
  await session.release();
  assert.equal(values.length, NUM_ROWS);
  return values;
}

/** Numbers, and the inputs that they are computed of. */
const numbers: Readonly<Record<string, readonly string[]>> = {
  a: ["a"],
  b: ["b"],
  f: ["f"],
  d: ["d"],
  y: ["y"],
  A: ["a"],
  "a + 1.5 * a - b / 3e0": ["a", "b"],
  "-a": ["a"],
  "a / 3": ["a"],
  "b / nullif(a, 0)": ["b", "a"],
  "a // 3": ["a"],
  "a // nullif(a % 4, 0)": ["a"],
  "a // (a % 4)": ["a"],
  "a % 7": ["a"],
  "a % (a % 3)": ["a"],
  "abs(a)": ["a"],
  "sign(b)": ["b"],
  "ln(1 + abs(b) / 1e1)": ["b"],
  "sign(b) * ln(1 + abs(b))": ["b"],
  "log10(abs(a) + 1)": ["a"],
  "log2(abs(a) + 1)": ["a"],
  "exp(b)": ["b"],
  "sqrt(abs(f))": ["f"],
  "b ** 2": ["b"],
  "pow(abs(b), 0.5)": ["b"],
  "floor(b)": ["b"],
  "ceil(b)": ["b"],
  "round(b)": ["b"],
  "greatest(a, 3)": ["a"],
  "least(a, b)": ["a", "b"],
  "case when isfinite(b) then b end": ["b"],
  "coalesce(a, -100)": ["a"],
  "coalesce(a, b, 7)": ["a", "b"],
  "nullif(a, 3)": ["a"],
  "case when a > 3 then 1 when a is null then 2 else 3 end": ["a"],
  "case when a > 3 then a end": ["a"],
  "case when b is null then 1 else 0 end": ["b"],
  "case a when 1 then 10 when 2 then 20 else 0 end": ["a"],
  "cast(y as int)": ["y"],
  "cast(a > b as int)": ["a", "b"],
  "cast(not (a > 0 and b > 0 or y) as int)": ["a", "b", "y"],
  "cast(a between -3 and 5 as int)": ["a"],
  "cast(a in (1, 2, 3) as int)": ["a"],
  "cast(a not in (1, 2) as int)": ["a"],
  "cast(s in ('x', 'it''s') as int)": ["s"],
  "cast(s = u as int)": ["s", "u"],
  "cast(s <> 'x' as int)": ["s"],
  "cast(s is null as int)": ["s"],
  "cast(b >= 0.5 as int)": ["b"],
  "cast(d = 3.25 as int)": ["d"],
  "cast(t < '2003-01-01' as int)": ["t"],
  "cast(day >= date '2001-03-01' as int)": ["day"],
  "cast(t > day as int)": ["t", "day"],
  "hour(t) * 2 + minute(t) // 30": ["t"],
  "second(t)": ["t"],
  "epoch(t) / 86400": ["t"],
  "year(t)": ["t"],
  "month(t)": ["t"],
  "day(t)": ["t"],
  "dayofweek(t)": ["t"],
  "isodow(t)": ["t"],
  "dayofyear(t)": ["t"],
  "quarter(t)": ["t"],
  "week(t)": ["t"],
  "extract(month from day)": ["day"],
  "hour(cast(t as timestamp))": ["t"],
  "epoch(cast(t as date))": ["t"],
  // What ONNX cannot say is an input, and what is around it is not.
  "length(s) + a": ["length(s)", "a"],
  'try_cast("two words" as double)': ["two words"],
  'ln(1 + abs(try_cast("two words" as double)))': ["two words"],
  "cast(ln(abs(a) + 1) > 1 as int)": ["(ln((abs(a) + 1)) > 1)"],
  "cast(f * 2 > 1 as int)": ["((f * 2) > 1)"],
  "a + date_diff('day', day, t::date)": ["a", "date_diff('day', \"day\", CAST(t AS DATE))"],
};

/** Names, likewise. */
const names: Readonly<Record<string, readonly string[]>> = {
  s: ["s"],
  a: ["a"],
  b: ["b"],
  f: ["f"],
  d: ["d"],
  y: ["y"],
  "s || '-' || u": ["s", "u"],
  "s || a": ["s", "a"],
  "concat(s, '|', u)": ["s", "u"],
  "concat(a, s)": ["a", "s"],
  "coalesce(s, 'none')": ["s"],
  "case when s in ('x', 'y') then s end": ["s"],
  "case when a < -10 then 'low' when a > 10 then 'high' else u end": ["a", "u"],
  "hour(t)": ["t"],
  "dayofweek(t)": ["t"],
  "a > 0": ["a"],
  "case when a < -3.5 then 0 when a < 4 then 1 when a is not null then 2 end": ["a"],
  "nullif(s, 'x')": ["s"],
  "cast(a as varchar)": ["a"],
  // Rendered by DuckDB, so the column is text: dates, numbers that float64 does not hold, those whose last bits may differ.
  day: ["day"],
  big: ["big"],
  "ln(abs(a) + 1)": ["CAST(ln((abs(a) + 1)) AS VARCHAR)"],
  "lower(s)": ["lower(s)"],
  "lower(s) || u": ["lower(s)", "u"],
};

describe("a served model computes", () => {
  for (const [sql, inputs] of Object.entries(numbers)) {
    test(`the number ${sql}`, async () => {
      const serving = await served(sql, null);
      assert.deepEqual(alike(serving.inputs.map(({ name }) => name)), alike(inputs));
      const expected = await db.rows(`select cast(${enclosed(sql)} as float) from source_rows`);
      const actual = await computed(serving, null);
      for (const [row, [value]] of expected.entries()) {
        const target = value === null ? Number.NaN : Number(value);
        const difference = Math.abs((actual[row] as number) - target);
        assert.ok(
          Object.is(actual[row], target) || difference <= 2e-7 * Math.abs(target),
          `row ${row} is ${actual[row]}, in DuckDB ${value}`,
        );
      }
    });
  }

  for (const [sql, inputs] of Object.entries(names)) {
    test(`the name ${sql}`, async () => {
      const text = `nullif(cast(${enclosed(sql)} as varchar), '')`;
      const found = await db.rows(`select distinct ${text} as v from source_rows where v is not null order by v`);
      // The last is not in the vocabulary, as one that comes after training.
      const vocabulary = found.slice(0, -1).map(([value]) => String(value));
      const serving = await served(sql, vocabulary);
      assert.deepEqual(alike(serving.inputs.map(({ name }) => name)), alike(inputs));
      const expected = await db.rows(`select ${text} from source_rows`);
      const ids = expected.map(([value]) => (value === null ? 0 : vocabulary.indexOf(String(value)) + 1));
      assert.deepEqual(await computed(serving, vocabulary), ids);
    });
  }
});

test("an input has the name of its column unless the model has that name for something else", async () => {
  const namesOf = async (numNumeric: number) => {
    const of = (i: number) => ({ name: `x${i}`, sql: `"${ofModels[i] ?? "a"}" + ${i}`, vocabulary: null });
    const { inputs } = await servingOf(
      Array.from({ length: numNumeric }, (_, i) => of(i)),
      columns,
      sqlReader(db),
    );
    return inputs.flatMap(({ name, column }) => (column === name ? [name] : []));
  };
  assert.deepEqual((await namesOf(10)).sort(), ["a", "numbers"]);
  assert.deepEqual(await namesOf(65), ["a"]);
});

/** In any order and case: DuckDB writes expressions in its own way. */
const alike = (texts: readonly string[]) => texts.map((text) => text.toLowerCase()).sort();
