/** Tables in every state that users have them in, described by one DuckDB. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { CodistillError } from "../../../errors.js";
import { columnSql } from "../../../infer/sql.js";
import { type Database, openDuckdb } from "../../sources/duckdb.js";
import { openFiles } from "../text-files.js";
import { type DescribeOverrides, describeIn, describeTable, type TableDescription } from "./describe.js";
import { lookIn } from "./first-look.js";

let folder = "";
let db: Database;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "codistill-describe-"));
  db = await openDuckdb(join(folder, "spill"));
});
after(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

const path = (...names: string[]) => join(folder, ...names);

async function write(name: string, text: string | Uint8Array): Promise<string> {
  await writeFile(path(name), text);
  return path(name);
}

/** Describe in a database that is `db` until the next description. */
async function described(
  source: string | readonly string[],
  label: string,
  overrides: DescribeOverrides = {},
): Promise<TableDescription> {
  await db.close();
  const open = await openFiles(source, { folder: path("copies"), encoding: overrides.reading?.encoding });
  const writes = [path("rides.jsonl"), path("rides.parquet")];
  db = await openDuckdb(join(folder, "spill"), { reads: open.reads, writes });
  return describeIn(db, open, label, overrides);
}

async function refused(attempt: Promise<unknown>, ...patterns: readonly RegExp[]): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof CodistillError, String(error instanceof Error ? error.stack : error));
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

const roleOf = ({ columns }: TableDescription, name: string) => columns.find(({ figures }) => figures.name === name);
const hintsOf = ({ hints }: TableDescription, kind: string) =>
  hints.filter((hint) => hint.kind === kind).map(({ text }) => text);

/** Rides with a column of every kind; each row by its number. */
const header = "ride,driver_id,zone,started,km,fare,note,vehicle,twin,empty,gone,late";
function ride(i: number): string {
  const started = new Date(Date.UTC(2025, 0, 1) + i * 47 * 60_000).toISOString().slice(0, 19).replace("T", " ");
  const km = i % 7 === 0 ? "" : ((i * 37) % 400) / 10;
  const fare = i % 100 === 0 ? 1e6 : (i * 13) % 90;
  const note = `"ride ${i} went, as ""usual"", by the river and back again"`;
  const zone = ["north", "south", "east"][i % 3];
  const late = (i * 31) % 100 < 30 + (i % 3) * 20 ? "yes" : "no";
  return [i, 500 + (i % 40) * 7, zone, started, km, fare, note, "car", zone, "", late === "yes" ? "x" : "", late].join(
    ",",
  );
}
const rides = Array.from({ length: 3000 }, (_, i) => ride(i));
const csv = (lines: readonly string[], ending = "\n") => `${[header, ...lines].join(ending)}${ending}`;

test("an identifier that tells the label is named with what to do about it; one that tells nothing is not", async () => {
  const order = Array.from({ length: 1200 }, (_, i) => (i * 7919) % 1201);
  const source = (index: (place: number, row: number) => string | number, up: (place: number) => string | number) =>
    csvOf(
      ["consumer_index", "u", "up"],
      order.map((place, row) => [index(place, row), (row * 31) % 77, up(place)]),
    );
  const hintFor = async (text: string) =>
    hintsOf(await described(await write("index.csv", text), "up", { task: "binary" }), "identifier");
  const up = (place: number) => Number(place % 1000 > 420);
  assert.deepEqual(await hintFor(source((place) => 91 * place, up)), [
    "consumer_index is left out (a different value in every row: an identifier), and alone it tells the label (AUC 1.000 on a sample): if it is a quantity that is known before the label, add --numeric consumer_index; if the rows merely stand in this order, all is well",
  ]);
  assert.deepEqual(await hintFor(source((_, row) => 91 * row, up)), []);
  assert.match(
    (await hintFor(source((place) => `C${10_000 + place}`, up)))[0] ?? "",
    /^consumer_index is left out .*: if a part of it is known before the label, make that a feature/,
  );
  const description = await described(
    await write(
      "index.csv",
      source(
        (place) => 91 * place,
        (place) => place * 0.5 + 0.25,
      ),
    ),
    "up",
  );
  assert.match(hintsOf(description, "identifier")[0] ?? "", /\(R² 1\.000 on a sample\)/);
});

const csvOf = (names: readonly string[], lines: readonly (readonly unknown[])[]) =>
  `${[names, ...lines].map((line) => line.join(",")).join("\n")}\n`;

test("how well a time alone tells the label is by its parts, and a label of a long tail counts in its scale", async () => {
  const lines = Array.from({ length: 2000 }, (_, i) => {
    const at = new Date(Date.UTC(2025, 0, 1, 0, 97 * i));
    return [at.toISOString().slice(0, 19), i % 7, Number(at.getUTCHours() > 11), 10 ** (i % 7) * (1 + (i % 3))];
  });
  const file = await write("parts.csv", csvOf(["at", "size", "late", "cost"], lines));
  const powerIn = async (label: string, name: string, ignore: readonly string[]) =>
    (await described(file, label, { ignore })).powers.find((one) => one.name === name)?.power ?? 0;
  assert.equal(await powerIn("late", "at", ["cost"]), 1);
  const size = await powerIn("cost", "size", ["late"]);
  assert.ok(size > 0.95, String(size));
});

describe("a table of rides", () => {
  let description: TableDescription;
  before(async () => {
    description = await described(await write("rides.csv", csv(rides)), "late");
  });

  const roles: Readonly<Record<string, readonly [string, RegExp]>> = {
    ride: ["ignored", /^a different value in every row, as numbers of rows: an identifier$/],
    driver_id: ["categorical", /^a code by its name, 40 different values$/],
    zone: ["categorical", /^3 different values$/],
    started: ["time", /^2025-01-01 to 2025-04-08; as hour, weekday, days$/],
    km: ["numeric", /^0 to 39.9; with an indicator of missing values$/],
    fare: ["numeric", /^0 to 89; 1000000 in 30 rows counts as missing; with an indicator/],
    note: ["ignored", /^free text: \d\d characters on average$/],
    vehicle: ["ignored", /^constant: "car" in every row$/],
    twin: ["ignored", /^equal to zone in every row: it would tell nothing new$/],
    empty: ["ignored", /^no value in any row$/],
    gone: ["categorical", /^1 different value$/],
    late: ["label", /^what is predicted$/],
  };
  for (const [name, [role, reason]] of Object.entries(roles)) {
    test(`${name}: ${role}`, () => {
      const column = roleOf(description, name);
      assert.equal(column?.role, role, column?.reason);
      assert.match(column?.reason ?? "", reason);
    });
  }

  test("has figures", () => {
    const { figures } = roleOf(description, "km") ?? {};
    assert.equal(figures?.numMissing, Math.ceil(3000 / 7));
    const { count, min, max, numWhole } = figures?.numbers ?? {};
    assert.deepEqual([count, min, max], [3000 - Math.ceil(3000 / 7), 0, 39.9]);
    const values = Array.from({ length: 3000 }, (_, i) => i).filter((i) => i % 7 !== 0);
    assert.equal(numWhole, values.filter((i) => ((i * 37) % 400) % 10 === 0).length);
    assert.equal(figures?.numDistinct, new Set(values.map((i) => (i * 37) % 400)).size);
    assert.deepEqual(roleOf(description, "started")?.figures.times, {
      count: 3000,
      min: "2025-01-01 00:00:00",
      max: "2025-04-08 21:13:00",
      spanDays: (2999 * 47) / 1440,
      numFullHour: 50,
      numMidnight: 3,
      numMonthStart: 1,
      numYearStart: 1,
    });
  });

  test("has a task, a split of all rows, and its leaks by name", () => {
    const { label, rows, powers } = description;
    assert.deepEqual([label.task, label.sql, label.positive], ["binary", "late", "yes"]);
    assert.equal(rows.train + rows.validation + rows.test, 3000);
    assert.deepEqual(rows, { train: 2400, validation: 300, test: 300 });
    assert.deepEqual(hintsOf(description, "leakage"), [
      "gone alone tells the label almost perfectly (AUC 1.000 on a sample): if it is known only once the label is, add --ignore gone",
    ]);
    const zone = powers.find(({ name }) => name === "zone")?.power ?? 0;
    assert.ok(zone > 0.55 && zone < 0.75, String(zone));
    assert.match(hintsOf(description, "time")[0] ?? "", /add --time started$/);
  });

  test("by time: what is later validates, what is latest tests", async () => {
    const { split, rows, columns } = await described(path("rides.csv"), "late", { time: "started", ignore: ["gone"] });
    assert.equal("kind" in split.split ? "" : split.split.test, "started >= '2025-03-30'");
    assert.match(split.reason, /^by time: validation from 2025-03-20, test from 2025-03-30$/);
    assert.equal(rows.train + rows.validation + rows.test, 3000);
    assert.ok(rows.validation > 250 && rows.test > 250, JSON.stringify(rows));
    const names = columns.flatMap(({ features }) => features.map(({ name }) => name));
    assert.ok(
      names.includes("started_hour") && !names.includes("started_days") && !names.includes("gone"),
      names.join(),
    );
  });

  test("with roles from the user", async () => {
    const given = await described(path("rides.csv"), "late", {
      numeric: ["driver_id"],
      categorical: ["vehicle", "ride"],
    });
    assert.deepEqual(
      ["driver_id", "vehicle", "ride"].map((name) => roleOf(given, name)?.role),
      ["numeric", "categorical", "categorical"],
    );
  });

  test("for numbers and for classes", async () => {
    const fare = await described(path("rides.csv"), "fare");
    assert.equal(fare.label.task, "regression");
    const zone = await described(path("rides.csv"), "zone");
    assert.equal(zone.label.task, "multiclass");
    assert.equal(roleOf(zone, "twin")?.reason, "equal to zone in every row: it would tell the label");
    const worst = hintsOf(await described(path("rides.csv"), "upper(zone)", { categorical: ["twin"] }), "leakage");
    assert.match(worst[0] ?? "", /^twin alone .*share of the room above chance 100 %/);
    const km = await described(path("rides.csv"), "km * 2 + 1", { numeric: ["fare"] });
    assert.equal(roleOf(km, "km")?.role, "label", "what the expression reads is no feature");
    assert.match(hintsOf(km, "left-out")[0] ?? "", /^429 rows have no number as their label/);
  });

  test("without a label: what each column holds, and what it would be used for", async () => {
    await db.close();
    const open = await openFiles(path("rides.csv"), { folder: path("copies") });
    db = await openDuckdb(join(folder, "spill"), { reads: open.reads });
    const { columns, hints } = await lookIn(db, open, { categorical: ["ride"] });
    const found = new Map(columns.map((column) => [column.figures.name, column]));
    assert.deepEqual([...found.keys()], header.split(","));
    assert.deepEqual(found.get("zone")?.frequent, [
      { value: "east", count: 1000 },
      { value: "north", count: 1000 },
      { value: "south", count: 1000 },
    ]);
    assert.deepEqual(
      ["ride", "zone", "late", "km", "note"].map((name) => found.get(name)?.role),
      ["categorical", "categorical", "categorical", "numeric", "ignored"],
    );
    assert.equal(found.get("late")?.figures.numDistinct, 2);
    assert.deepEqual(found.get("km")?.frequent, []);
    assert.match(hints.map(({ text }) => text).join("\n"), /fare has 1000000 \(30 rows\)/);
  });

  test("for an expression that ends in a comment, where it is missing in some rows", async () => {
    for (const sql of ["km > 5", "km"]) {
      const { rows } = await described(path("rides.csv"), sql);
      assert.deepEqual((await described(path("rides.csv"), `${sql} -- on the road`)).rows, rows);
    }
  });
});

describe("read is", () => {
  const few = rides.slice(0, 400);
  const check = async (source: string | readonly string[]) => {
    const { columns, source: read } = await described(source, "late");
    assert.equal(read.numRows, 400);
    assert.deepEqual(
      columns.map(({ figures }) => figures.name),
      header.split(","),
    );
  };

  test("a byte order mark, CRLF, and lines within quotes", async () => {
    const lines = few.map((line) => line.replace("by the river", "by\r\nthe river"));
    await check(await write("bom.csv", `\uFEFF${csv(lines, "\r\n")}`));
  });

  test("a semicolon, tabs, gzip, and several files by a glob", async () => {
    await check(await write("semicolon.csv", csv(few).replaceAll(",", ";")));
    await check(await write("tabs.tsv", csv(few).replaceAll(",", "\t")));
    await check(await write("packed.csv.gz", gzipSync(csv(few))));
    await mkdir(path("parts"), { recursive: true });
    await write("parts/a.csv", csv(few.slice(0, 100)));
    await write("parts/b.csv", csv(few.slice(100)));
    await check(path("parts", "*.csv"));
  });

  test("JSON lines and Parquet", async () => {
    await described(path("rides.csv"), "late");
    await db.run(`copy (select * from source_rows limit 400) to '${path("rides.jsonl")}' (format json)`);
    await db.run(`copy (select * from source_rows limit 400) to '${path("rides.parquet")}' (format parquet)`);
    await check(path("rides.parquet"));
    const { columns } = await described(path("rides.jsonl"), "late");
    assert.equal(roleOf({ columns } as TableDescription, "started")?.role, "time");
  });

  test("a header that has a name twice, under a name of its own", async () => {
    const lines = Array.from({ length: 100 }, (_, i) => `${i * 1.5},${i * 2.5},${i % 2}`);
    const { columns } = await described(await write("twice.csv", `a,a,b\n${lines.join("\n")}\n`), "b");
    assert.deepEqual(
      columns.map(({ figures }) => figures.name),
      ["a", "a_1", "b"],
    );
  });

  test("text of numbers with words among them", async () => {
    const lines = Array.from({ length: 700 }, (_, i) => `${i % 60 === 7 ? "n/a" : i * 1.5},${i % 2}`);
    const { columns } = await described(await write("mixed.csv", `size,b\n${lines.join("\n")}\n`), "b");
    const [size] = columns;
    assert.equal(size?.role, "numeric");
    assert.equal(size?.reason, "0 to 1049; with an indicator of missing values");
    assert.equal(size?.figures.numMissing, 12);
  });
});

test("one absurd value of a feature or of the label is told with its row, and how to say that it is missing", async () => {
  const row = (i: number) => `${i === 77 ? "1 000 000" : 10 + (i % 7)},${i === 88 ? -1e9 : i % 2},${i % 5},${i % 3}`;
  const tail = (i: number) => Math.round(10 * 1.05 ** (i % 200));
  const rows = Array.from({ length: 200 }, (_, i) => `${row(i + 1)},${tail(i)},${i % 2 ? "a" : "b"}\n`);
  const file = await write("absurd.csv", `km,cost,age,size,tail,late\n${rows.join("")}`);
  const given = { numeric: ["km", "cost", "tail"] };
  const told = hintsOf(await described(file, "late", given), "outlier");
  assert.equal(told.length, 2, "a long tail is none");
  assert.match(told[0] ?? "", /^km is 1 000 000 in row 77, where all others are from 10 to 16: .*"1 000 000"/);
  assert.match(told[1] ?? "", /^cost is -1000000000 in row 88, where all others are from 0 to 1: /);
  const labelled = await described(file, "km", { task: "regression" });
  assert.match(hintsOf(labelled, "outlier")[0] ?? "", /^km is 1 000 000 .* --label "nullif\(km, 1000000\)"$/);
  const cured = await described(file, "late", { ...given, reading: { nullValues: ["1 000 000", "-1000000000"] } });
  assert.deepEqual(hintsOf(cured, "outlier"), []);
  const look = await lookIn(db, await openFiles(file, { folder: path("copies") }), given);
  assert.deepEqual(
    look.hints.flatMap(({ kind, text }) => (kind === "outlier" ? [text] : [])),
    told,
    "without a label too",
  );
});

test("values that stand for none are missing with an indicator, unless the column is given as numbers", async () => {
  const rows = Array.from({ length: 600 }, (_, i) => {
    const temperature = i % 9 === 0 ? -999 : i % 10 === 1 ? "" : 15 + ((i * 7) % 100) / 10;
    const day = new Date(Date.UTC(2023, 0, 1 + (i % 500))).toISOString().slice(0, 10);
    return `${temperature},${i % 7 === 0 ? "9999-12-31" : day},${i % 3}`;
  });
  const file = await write("marks.csv", `temperature,until,y\n${rows.join("\n")}\n`);
  const found = await described(file, "y = 0");
  const [temperature, until] = found.columns;
  assert.match(temperature?.reason ?? "", /^15 to 24.9; -999 in 67 rows counts as missing/);
  assert.deepEqual(
    temperature?.features.map(({ sql }) => sql),
    [
      "case when isfinite(nullif(temperature, (-999))) then nullif(temperature, (-999)) end",
      "case when (case when isfinite(nullif(temperature, (-999))) then nullif(temperature, (-999)) end) is null then 1 else 0 end",
      "case when temperature = (-999) then 1 else 0 end",
    ],
  );
  assert.match(
    until?.reason ?? "",
    /^2023-01-01 to 2024-05-14; 9999-12-31 in 86 rows counts as missing; as weekday, days/,
  );
  assert.ok(until?.features.some(({ sql }) => sql === "dayofweek(nullif(until, '9999-12-31'))"));
  const hints = hintsOf(found, "sentinel");
  assert.match(hints[0] ?? "", /^temperature has -999 \(67 rows\) far from all .* --numeric temperature$/);
  assert.match(hints[1] ?? "", /^until has 9999-12-31 \(86 rows\)/);
  const given = await described(file, "y = 0", { numeric: ["temperature"] });
  assert.match(given.columns[0]?.reason ?? "", /^as given with --numeric/);
  assert.equal(hintsOf(given, "sentinel").length, 1);
});

test("rows that come twice are counted, and those that time parts from their twins", async () => {
  const lines = rides.map((line, i) =>
    i >= 2700 && i < 2900 ? `${i}${(rides[i - 2700] ?? "").replace(/^\d+/, "")}` : line,
  );
  const moved = lines.map((line, i) => line.replace(/2025-[^,]*/, (rides[i] ?? "").split(",")[3] ?? ""));
  const byHash = await described(await write("repeats.csv", csv(lines)), "late");
  assert.match(
    hintsOf(byHash, "duplicates")[0] ?? "",
    /^200 rows repeat an earlier one in all features; such rows are in one split, so none/,
  );
  const byTime = await described(await write("resent.csv", csv(moved)), "late", { time: "started" });
  assert.match(
    hintsOf(byTime, "duplicates").join("\n"),
    /^2\d\d rows of validation and test \([\d.]+ %\) equal a training row in all features but those of started: scores on them are partly memory$/m,
  );
});

test("a class that comes later than training, and one that stays behind, are told of", async () => {
  const kindOf = (i: number) => (i >= 900 ? "new" : i < 50 ? "old" : i % 2 === 0 ? "even" : "odd");
  const lines = Array.from({ length: 1000 }, (_, i) => `${2000 + i},${(i * 37) % 101},${kindOf(i)}`);
  const source = await write("later.csv", `at,x,kind\n${lines.join("\n")}\n`);
  const later = await described(source, "kind", { time: "at" });
  assert.deepEqual(
    later.classRows.map(({ value }) => value),
    ["even", "odd", "old"],
  );
  assert.match(
    hintsOf(later, "left-out")[0] ?? "",
    /^no training row is of "new": 100 rows of validation and test are/,
  );
  assert.match(hintsOf(later, "few-rows").join("\n"), /^test has no row of "old" \(the split parts them so\)/m);
  assert.equal(later.rows.train + later.rows.validation + later.rows.test, 900);
  const twoKinds = `at,x,y\n${lines.map((_, i) => `${2000 + i},${(i * 37) % 101},${i >= 850 ? 1 : 0}`).join("\n")}\n`;
  await refused(
    described(await write("two-kinds.csv", twoKinds), "y", { time: "at" }),
    /training needs rows of two classes, and has none of "1"/,
  );
});

test("rows of one group are in one split, and the group is no feature", async () => {
  const lines = Array.from({ length: 1000 }, (_, i) => `c${i % 50},${(i * 37) % 401},${i % 3 === 0}`);
  const source = await write("groups.csv", `customer,x,y\n${lines.join("\n")}\n`);
  const { split, rows, columns } = await described(source, "y", { groupBy: "Customer" });
  assert.match(split.reason, /rows of one customer stay together$/);
  assert.deepEqual(rows, { train: 800, validation: 100, test: 100 });
  assert.equal(columns[0]?.role, "ignored");
  assert.match(columns[0]?.reason ?? "", /--categorical or --numeric makes it a feature all the same$/);
  const kept = await described(source, "y", { groupBy: "customer", categorical: ["customer"] });
  assert.equal(kept.columns[0]?.role, "categorical");
  await refused(
    described(source, "y", { groupBy: "custmer" }),
    /split\.groupBy does not compile: custmer/,
    /Did you mean customer\?/,
  );
});

test("large groups, few groups and rows without one are told, and where rows have an owner it is asked for", async () => {
  const lines = Array.from({ length: 1000 }, (_, i) => {
    const customer = i % 10 === 0 ? "" : i % 10 < 7 ? "big" : `c${i % 12}`;
    return [customer, `u${i % 200}`, (i * 37) % 401, i % 3 === 0];
  });
  const source = await write("owners.csv", csvOf(["customer", "user_id", "x", "y"], lines));
  const grouped = await described(source, "y", { groupBy: "customer" });
  assert.deepEqual(hintsOf(grouped, "groups"), [
    "100 rows have no value of customer, and each is split by itself",
    'one value of customer, "big", has 60 % of the rows and is in one split whole: the shares of the splits, and of the groups of a run, are far from even',
    hintsOf(grouped, "groups")[2],
  ]);
  assert.match(
    hintsOf(grouped, "groups")[2] ?? "",
    /^of different values of customer train has \d, validation has \d, test has \d: figures of so few/,
  );
  const advice = /^user_id has about 5 rows a value: .* add --group-by user_id$/;
  assert.match(hintsOf(await described(source, "y"), "groups").join(), advice);
  const { hints } = await lookIn(db, await openFiles(source, { folder: path("copies") }), {});
  assert.match(hints.find(({ kind }) => kind === "groups")?.text ?? "", advice);
  assert.deepEqual(hintsOf(await described(source, "y", { groupBy: "user_id" }), "groups"), []);
});

test("a weight is no feature, is described, and is refused where it is none", async () => {
  const lines = Array.from({ length: 1000 }, (_, i) => [
    (i * 37) % 401,
    i % 50 === 0 ? 100 : 0.5,
    i % 3 === 0,
    i % 2 ? 1 : -1,
  ]);
  const source = await write("weights.csv", csvOf(["x", "w", "y", "bad"], lines));
  const found = await described(source, "y", { weight: "W" });
  const { given, sql, least, most, mean, effectiveRows } = found.weight ?? assert.fail("no weight");
  assert.deepEqual([given, sql, least, most], ["W", "w", 0.5, 100]);
  assert.ok(mean > 1.9 && mean < 3.1 && effectiveRows > 10 && effectiveRows < 40, `${mean}, ${effectiveRows}`);
  assert.deepEqual([roleOf(found, "w")?.role, roleOf(found, "w")?.reason], ["ignored", "the weight of a row"]);
  assert.match(
    hintsOf(found, "few-rows").join(),
    /few rows have most of the weight: 800 training rows tell as much as \d\d of equal weights/,
  );
  const both = await described(source, "y", { weight: "w", numeric: ["w"] });
  assert.equal(roleOf(both, "w")?.role, "numeric");
  const expression = await described(source, "y", { weight: "1 + x" });
  assert.deepEqual([expression.weight?.sql, roleOf(expression, "x")?.role], ["1 + x", "numeric"]);
  await refused(described(source, "y", { weight: "bad" }), /of 1,000 rows it is negative in 500: bad/);
  await refused(described(source, "y", { weight: "y" }), /--weight y: the weight of a row must not tell its label/);
  await refused(
    described(source, "y", { weight: "v" }),
    /--weight does not compile: v/,
    /Columns of the source: x, w, y, bad/,
  );
});

describe("refused with the rule and the cure is", () => {
  const cases: readonly (readonly [string, () => Promise<unknown>, ...RegExp[]])[] = [
    ["a glob without matches", () => described(path("ridez", "*.csv"), "late"), /no file matches ".*ridez/],
    ["a path with a slip", () => described(path("ridse.csv"), "late"), /no file matches.*Did you mean rides\.csv\?/],
    [
      "a folder",
      async () => {
        await mkdir(path("folder"), { recursive: true });
        await write("folder/x.csv.gz", gzipSync("a\n"));
        return described(path("folder"), "late");
      },
      /a source is files, and ".*folder" is a folder\. Name its files, for example ".*folder\/\*\.csv\.gz"/,
    ],
    [
      "an empty folder",
      async () => {
        await mkdir(path("nothing"), { recursive: true });
        return described(path("nothing"), "late");
      },
      /is a folder\. None of its files has a format/,
    ],
    [
      "an unknown format",
      async () => described(await write("a.xlsx", "a"), "late"),
      /told by the file's extension \(parquet, csv/,
    ],
    [
      "an empty file",
      async () => described(await write("empty.csv", ""), "late"),
      /empty\.csv is empty\. Check that the file is complete/,
    ],
    [
      "a header alone",
      async () => described(await write("head.csv", "a,b,late\n"), "late"),
      /head\.csv has 3 columns \(a, b, late\) and no rows/,
    ],
    [
      "commas in a .tsv",
      async () => described(await write("comma.tsv", csv(rides.slice(0, 9))), "late"),
      /was read as one, named "ride,driver_id.*A \.tsv is parted by tabs: rename the file to \.csv/,
    ],
    [
      "ragged lines",
      async () => described(await write("ragged.csv", "a,b,c\n1,2,3\n4,5\n6,7,8\n"), "a"),
      /of 3 lines of .*ragged\.csv 1 line is no row, and 0 may be left out/,
      /line 3: "4,5": fewer than 3 columns/,
    ],
    [
      "text that is not UTF-8",
      async () => described(await write("latin.csv", Uint8Array.from([97, 44, 98, 10, 49, 44, 0xe9, 10])), "a"),
      /^data: text is UTF-8, and .*latin\.csv is not: first at byte 7, in line 2 \(0xe9\)\. .*--encoding windows-1252/,
    ],
    [
      "the same under another name of a table",
      async () => described(await write("latin.txt", Uint8Array.from([97, 44, 98, 10, 49, 44, 0xe9, 10])), "a"),
      /^data: text is UTF-8, and .*latin\.txt is not: .*old\.txt > new\.txt/,
    ],
    [
      "broken JSON",
      async () => described(await write("broken.jsonl", '{"a":1}\n{"a":\n'), "a"),
      /cannot be read as json \(.*broken\.jsonl\)\. DuckDB: .*Malformed JSON/,
    ],
    ["broken Parquet", async () => described(await write("broken.parquet", "hello"), "a"), /cannot be read as parquet/],
    [
      "a label with a slip",
      () => described(path("rides.csv"), "lat"),
      /label: must be a column or an expression over columns, and none is called "lat".*Did you mean late\?/,
    ],
    [
      "a label with a slip in an expression",
      () => described(path("rides.csv"), "lates = 'yes'"),
      /label does not compile: lates = 'yes'.*Did you mean late\?/s,
    ],
    [
      "a label that looks at other rows",
      () => described(path("rides.csv"), "km > avg(km)"),
      /label does not compile.*one row only/s,
    ],
    [
      "a label without columns",
      () => described(path("rides.csv"), "1 = 1"),
      /label: it is an expression over the columns of a row, and 1 = 1 reads none/,
    ],
    [
      "a label of one value",
      () => described(path("rides.csv"), "vehicle"),
      /label: rows need labels that differ, and it is "car" in all of 3,000 rows: vehicle/,
    ],
    [
      "a label without values",
      () => described(path("rides.csv"), "empty"),
      /label: .*it is null in all 3,000 rows: empty/,
    ],
    ["a label of times", () => described(path("rides.csv"), "started"), /started has the type TIMESTAMP/],
    [
      "a label of texts",
      () => described(path("rides.csv"), "note"),
      /note has 3,000 different values in 3,000 rows, as "ride/,
    ],
    [
      "a time with few values",
      () =>
        described(path("rides.csv"), "late", { time: "driver_id", ignore: ["zone"] }).then(() =>
          described(path("rides.csv"), "late", { time: "vehicle" }),
        ),
      /--time vehicle: most values must read as points in time/,
    ],
    [
      "a feature that is the label",
      () => described(path("rides.csv"), "km > 10", { numeric: ["km"] }),
      /--numeric km: a feature must not tell the label, and km is part of km > 10/,
    ],
    [
      "a table of nothing but its label",
      () => described(path("twice.csv"), "b", { ignore: ["a", "a_1"] }),
      /every column is the label's or ignored: a \(as given with --ignore\)/,
    ],
    [
      "a time that cannot be cut",
      async () =>
        described(
          await write(
            "years.csv",
            `year,x,b\n${Array.from({ length: 90 }, (_, i) => `${2000 + Math.floor(i / 45)},${i * 1.5},${i % 2}`).join("\n")}\n`,
          ),
          "b",
          { time: "year" },
        ),
      /every split needs rows, and validation has none \(train 45, validation 0, test 45\)\. The time has too few/,
    ],
  ];
  for (const [name, attempt, ...patterns] of cases) test(name, () => refused(attempt(), ...patterns));
});

test("names are quoted that DuckDB takes for words of its own, and no others", async () => {
  const rows = await db.rows("select keyword_name, keyword_category from duckdb_keywords()");
  for (const [word, category] of rows) {
    const isQuoted = columnSql(String(word)).startsWith('"');
    assert.equal(isQuoted, category !== "unreserved", `${word} is ${category}`);
  }
});

test("a description leaves nothing in the cache folder, whatever comes of it", async () => {
  const { readdir } = await import("node:fs/promises");
  const cacheFolder = path("cache");
  const { rows } = await describeTable(path("rides.csv"), "late", {}, { cacheFolder });
  assert.equal(rows.train + rows.validation + rows.test, 3000);
  await refused(describeTable(path("rides.csv"), "vehicle", {}, { cacheFolder }), /labels that differ/);
  const stop = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(describeTable(path("rides.csv"), "late", {}, { cacheFolder, signal: stop }), /stopped/);
  assert.deepEqual(await readdir(cacheFolder), []);
});
