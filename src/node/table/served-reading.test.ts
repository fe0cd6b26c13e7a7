/** Files read on their own, and as a model read others: what they are, by name, and what is told of them. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { DataError } from "../../errors.js";
import type { GivenReading, Reading } from "../../reading/reading.js";
import type { ServedInput } from "../../serving/expression.js";
import { openDuckdb } from "../sources/duckdb.js";
import { openServedRows, type ReadModel } from "./served-rows.js";
import { readSource } from "./source-rows.js";
import { openFiles } from "./text-files.js";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "codistill-files-"));
  mkdirSync(join(folder, "copies"));
});
after(() => rmSync(folder, { recursive: true }));

type Content = string | Uint8Array;

/** The rows of files as text, and what is told. */
async function readFiles(contents: readonly Content[], encoding?: string) {
  const paths = contents.map((content, i) => {
    const path = join(folder, `${i}.csv`);
    writeFileSync(path, content);
    return path;
  });
  const open = await openFiles(paths, { folder: join(folder, "copies"), encoding });
  const db = await openDuckdb(join(folder, "spill"), { reads: open.reads });
  try {
    const { columns, notes } = await readSource(db, open);
    const rows = await db.rows(`select columns(*)::varchar from source_rows`);
    return { names: columns.map(({ name, header = name }) => header), rows, notes: notes.join("\n") };
  } finally {
    await db.close();
  }
}

const umlauts = "ort,n\nZürich,1\nGenève,2\n";

describe("a file is read as what it is", () => {
  const plain = [
    ["Zürich", "1"],
    ["Genève", "2"],
  ];
  const cases: Readonly<Record<string, readonly [Content, encoding?: string | undefined, note?: RegExp]>> = {
    "UTF-8": [umlauts],
    "UTF-16 by its mark": [Buffer.from(`\uFEFF${umlauts}`, "utf16le"), undefined, /UTF-16 by its mark/],
    "Windows-1252, as given": [Buffer.from(umlauts, "latin1"), "windows-1252"],
    "UTF-8 where something else was given": [umlauts, "windows-1252", /is UTF-8, and not windows-1252/],
    "gzip without its name": [gzipSync(umlauts)],
    "lines that end in three ways": ["ort,n\r\nZürich,1\rGenève,2\n", undefined, /end in different ways/],
    "a header once more": [
      "ort,n\nZürich,1\nort,n\nGenève,2\n",
      undefined,
      /1 line is the header once more \(line 3\)/,
    ],
  };
  for (const [name, [content, encoding, note]] of Object.entries(cases)) {
    test(name, async () => {
      const read = await readFiles([content], encoding);
      assert.deepEqual([read.names, read.rows], [["ort", "n"], plain]);
      if (note) assert.match(read.notes, note);
      else assert.equal(read.notes, "");
    });
  }

  test("a line break within quotes stays as it is", async () => {
    const { rows } = await readFiles(['a,b\r\n1,"x\ny"\r\n2,"x\r\ny"\n']);
    assert.deepEqual(rows, [
      ["1", "x\ny"],
      ["2", "x\r\ny"],
    ]);
  });

  const refusals: Readonly<Record<string, readonly [Content, RegExp]>> = {
    "Windows-1252, not given": [
      Buffer.from(umlauts, "latin1"),
      /^data: text is UTF-8, .* in line 2 .*--encoding windows-1252/,
    ],
    "a quote that is not closed": ['a,b\n1,"x\n2,y\n3,z\n', /that of line 2 does not/],
    "a web page": ["<!DOCTYPE html><html>", /is a web page/],
    "a zip archive": [Buffer.from("PK\x03\x04zip"), /is a zip archive/],
    JSON: ['{"a":1}\n{"a":2}\n', /is JSON .*\.json or \.jsonl/],
    "bytes 0": ["a,b\n1,\0\n", /has one in line 2/],
  };
  for (const [name, [content, message]] of Object.entries(refusals)) {
    test(`or refused: ${name}`, async () => {
      await assert.rejects(readFiles([content]), (error) => error instanceof DataError && message.test(error.message));
    });
  }
});

test("columns of several files are found by their names, and differences are told", async () => {
  const { names, rows, notes } = await readFiles(["a,b\n1,x\n", "B,a\ny,2\n", "a,c\n3,z\n", "4,w\n"]);
  assert.deepEqual(names, ["a", "b", "c"]);
  assert.deepEqual(rows, [
    ["1", "x", null],
    ["2", "y", null],
    ["3", null, "z"],
    ["4", "w", null],
  ]);
  assert.match(notes, /2\.csv has no column b.*2\.csv alone has the column c/s);
  assert.match(notes, /3\.csv has no header; its columns are taken to be those of .*0\.csv/);
});

test("a record of JSON has as many columns as keys, many of one type and rare ones too", async () => {
  const path = join(folder, "keys.jsonl");
  const records = Array.from({ length: 40 }, (_, row) => ({
    ...Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`g${i}`, row + i])),
    [`rare${row}`]: row,
  }));
  writeFileSync(path, records.map((record) => JSON.stringify(record)).join("\n"));
  const open = await openFiles([path], { folder: join(folder, "copies") });
  const db = await openDuckdb(join(folder, "spill"), { reads: open.reads });
  try {
    const { columns } = await readSource(db, open);
    assert.deepEqual([columns.length, columns[299]?.name, columns[339]?.name], [340, "g299", "rare39"]);
    assert.deepEqual(await db.rows("select g7::int, rare2::int from source_rows limit 1 offset 2"), [[9, 2]]);
  } finally {
    await db.close();
  }
});

test("many columns of text in Parquet are read once, and those of few where they are asked for", async () => {
  const kinds: unknown[] = [];
  for (const numColumns of [3, 150]) {
    const path = join(folder, `${numColumns}.parquet`);
    const made = await openDuckdb(join(folder, "spill"), { writes: [path] });
    const texts = Array.from({ length: numColumns }, (_, i) => `(row * ${i} + 0.5)::varchar as t${i}`);
    await made.run(`copy (select ${texts.join(", ")} from range(20) as t(row)) to '${path}'`);
    await made.close();
    const open = await openFiles([path], { folder: join(folder, "copies"), encoding: undefined });
    const db = await openDuckdb(join(folder, "spill"), { reads: open.reads });
    try {
      const { columns } = await readSource(db, open);
      assert.deepEqual(new Set(columns.map(({ type }) => type)), new Set(["DOUBLE"]));
      assert.deepEqual(await db.rows("select t0, t2 from source_rows limit 3 offset 1"), [
        [0.5, 2.5],
        [0.5, 4.5],
        [0.5, 6.5],
      ]);
      kinds.push(
        ...(await db.rows("select table_type from information_schema.tables where table_name = 'source_rows'")),
      );
    } finally {
      await db.close();
    }
  }
  assert.deepEqual(kinds, [["VIEW"], ["BASE TABLE"]]);
});

test("strings of JSON and Parquet are read like text, their numbers as they are", async () => {
  const path = (name: string) => join(folder, name);
  const made = await openDuckdb(join(folder, "spill"), { writes: [path("p.parquet"), path("q.parquet")] });
  await made.run(`copy (select 1.5 as x, '31/12/2024' as d, timestamp 'infinity' as t) to '${path("p.parquet")}'`);
  await made.run(`copy (select '05/03/2024' as d, 2.5 as x) to '${path("q.parquet")}'`);
  await made.close();
  writeFileSync(
    path("a.jsonl"),
    '{"zip":"02139","n":3,"d":"12-Nov-2024"}\n{"zip":"10001","n":"1","d":"13-Nov-2024"}\n',
  );
  writeFileSync(path("b.jsonl"), '{"A":1,"a":"x"}\n{"A":3,"a":"y"}\n');
  const read = async (...names: readonly string[]) => {
    const open = await openFiles(names.map(path), { folder: join(folder, "copies") });
    const db = await openDuckdb(join(folder, "spill"), { reads: open.reads });
    try {
      const { notes } = await readSource(db, open);
      return { rows: await db.rows("select columns(*)::varchar from source_rows"), notes: notes.join("\n") };
    } finally {
      await db.close();
    }
  };
  const parquet = await read("p.parquet", "q.parquet");
  assert.deepEqual(parquet.rows, [
    ["1.5", "2024-12-31", null],
    ["2.5", "2024-03-05", null],
  ]);
  assert.match(parquet.notes, /q\.parquet has no column t: missing in its rows\nt: 1 infinite time counts as missing/);
  const json = await read("a.jsonl");
  assert.deepEqual(json.rows, [
    ["02139", "3", "2024-11-12"],
    ["10001", "1", "2024-11-13"],
  ]);
  assert.deepEqual(
    (await read("b.jsonl")).rows,
    [
      ["1", "x"],
      ["3", "y"],
    ],
    "keys that differ in case are two columns",
  );
});

describe("a model reads files as it read its own", () => {
  const input = (name: string, type: ServedInput["type"]): ServedInput => ({ name, type, sql: name, column: name });
  const reading: Reading = {
    columns: [
      { name: "seen", reading: { as: "time", formats: ["%m/%d/%Y"], days: true } },
      { name: "called", reading: { as: "time", formats: ["iso"], zone: "offset" } },
      { name: "price", reading: { as: "number", decimal: "," } },
      { name: "zip", reading: { as: "text" } },
      { name: "size", reading: { as: "number", whole: true } },
    ],
  };
  const model = {
    inputs: [
      input("seen", "time"),
      input("called", "time"),
      input("price", "number"),
      input("zip", "text"),
      input("size", "number"),
    ],
    columns: null,
    reading,
  };
  const header = "zip,seen,called,price,size\n";

  async function served(text: string, given: GivenReading = {}, of: ReadModel = model) {
    const path = join(folder, "new.csv");
    writeFileSync(path, text);
    const open = await openFiles(path, { folder: join(folder, "copies") });
    const db = await openDuckdb(join(folder, "spill"), { reads: open.reads });
    try {
      const { notes } = await openServedRows(db, open, of, { reading: given });
      const asked = of === model ? "seen::varchar, called::varchar, price, zip, size::double" : "size::double";
      return { rows: await db.rows(`select ${asked} from source_rows`), notes };
    } finally {
      await db.close();
    }
  }

  test("without a word where they agree, whatever their values would be taken for alone", async () => {
    const { rows, notes } = await served(`${header}02139,05/13/2024,2024-05-03T07:00:00+02:00,"1,25",3\n`);
    assert.deepEqual(rows, [["2024-05-13", "2024-05-03 07:00:00", 1.25, "02139", 3]]);
    assert.deepEqual(notes, []);
  });

  test("with ISO 8601 beside its patterns, and fractions where it had whole numbers", async () => {
    const { rows } = await served(`${header}1,2024-05-03,2024-05-03T07:00:00+02:00,"1,25",3.5\n`);
    assert.deepEqual(rows[0]?.slice(0, 1), ["2024-05-03"]);
    assert.equal(rows[0]?.[4], 3.5);
  });

  test("with fractions, brackets and signs of all kinds where it had whole numbers with thousands", async () => {
    const sizes = { name: "size", reading: { as: "number", whole: true, thousands: "," } } as const;
    const of = { ...model, inputs: [input("size", "number")], reading: { columns: [sizes] } };
    const texts = ['"1,234.5"', '"(1,234)"', "7-", "\u22125", "+3", '"12,34,567"', "1.25"];
    const { rows, notes } = await served(`size\n${texts.join("\n")}\n`, {}, of);
    assert.deepEqual(rows.flat(), [1234.5, -1234, -7, -5, 3, 1234567, 1.25]);
    assert.deepEqual(notes, []);
  });

  test("and tells of days first, of missing zones and of other decimal marks", async () => {
    const { rows, notes } = await served(
      `${header}1,31/12/2024,2024-05-03 07:00:00,1.25,3\n1,05/03/2024,2024-05-03 07:00:00,"2,25",3\n1,05/03/2024,2024-05-03 07:00:00,"2,5",3\n`,
    );
    assert.deepEqual(rows[0], [null, "2024-05-03 07:00:00", null, "1", 3]);
    const told = notes.join("\n");
    assert.match(told, /seen: the file disagrees: "31\/12\/2024" begins with the day.*--date-format "seen=%d\/%m\/%Y"/);
    assert.match(told, /seen: 1 value cannot be read as days as %m\/%d\/%Y and counts as missing, as "31\/12\/2024"/);
    assert.match(told, /called: the file disagrees: 3 times have no zone/);
    assert.match(told, /price: the file disagrees: it has numbers with "\." as the decimal mark/);
  });

  describe("and names both readings of dates whose days are all up to 12", () => {
    const dates = { as: "time", formats: ["%d/%m/%Y"], days: true } as const;
    const of = (span?: readonly [string, string]): ReadModel => ({
      ...model,
      inputs: [input("seen", "time"), input("size", "number")],
      reading: {
        columns: [
          { name: "seen", reading: dates, ...(span && { span }) },
          { name: "size", reading: { as: "number" } },
        ],
      },
    });
    const told = async (days: readonly string[], given: GivenReading = {}, span?: readonly [string, string]) => {
      const { notes } = await served(`seen,size\n${days.map((day) => `${day},1\n`).join("")}`, given, of(span));
      return notes.join("\n");
    };
    const monthFirst = ["01/04/2024", "02/01/2024", "02/11/2024", "03/05/2024", "03/06/2024"];

    test("where both are possible, with the flag for each", async () => {
      assert.equal(
        await told(["05/03/2024"], {}, ["2023-01-01", "2024-06-30"]),
        'seen: no number above 12 tells the day from the month; read as in training, the day first, the dates are 2024-03-05 (training had 2023-01-01 to 2024-06-30); with the month first they would be 2024-05-03: --date-format "seen=%m/%d/%Y" if so, and --date-format "seen=%d/%m/%Y" if not',
      );
    });
    test("with what speaks for the other one", async () => {
      const note = await told(monthFirst, {}, ["2024-01-01", "2024-03-31"]);
      assert.match(note, /the day first, the dates are 2024-01-02 to 2024-11-02 \(training had/);
      assert.match(
        note,
        /2024-01-04 to 2024-03-06, and its rows .* order of time, and all .* among the dates of train/,
      );
      assert.match(await told(monthFirst), /order of time: --date-format/, "a model that does not know its dates");
    });
    const silent: Readonly<Record<string, readonly [readonly string[], GivenReading?]>> = {
      "a number above 12": [[...monthFirst, "13/04/2024"]],
      "dates that are the same either way": [["03/03/2024", "05/05/2024", "04/04/2024"]],
      "rows in the order of time": [["04/01/2024", "01/02/2024", "11/02/2024", "05/03/2024", "06/03/2024"]],
      "ISO 8601": [["2024-05-03"]],
      "a pattern that was given": [monthFirst, { dateFormats: ["%d/%m/%Y"] }],
    };
    for (const [name, [days, given]] of Object.entries(silent))
      test(`without a word for ${name}`, async () => assert.equal(await told(days, given), ""));
  });

  test("and keeps the dates of training for that", async () => {
    const path = join(folder, "own.csv");
    writeFileSync(path, "seen,zip\n31/12/2023,1\n05/03/2024,2\n");
    const open = await openFiles(path, { folder: join(folder, "copies") });
    const db = await openDuckdb(join(folder, "spill"), { reads: open.reads });
    try {
      const { columns } = (await readSource(db, open)).reading;
      assert.deepEqual(
        columns.map(({ span }) => span),
        [["2023-12-31", "2024-03-05"], undefined],
      );
    } finally {
      await db.close();
    }
  });

  test("unless it is said how they are written", async () => {
    const given = { dateFormats: ["seen=%d/%m/%Y"], decimal: "." } as const;
    const { rows } = await served(`${header}1,31/12/2024,2024-05-03T07:00:00+02:00,1.25,3\n`, given);
    assert.deepEqual(rows[0]?.slice(0, 3), ["2024-12-31", "2024-05-03 07:00:00", 1.25]);
  });

  test("and refuses a column that is mostly something else", async () => {
    await assert.rejects(
      served(`${header}1,05/03/2024,2024-05-03T07:00:00+02:00,far,3\n`),
      /reads numbers from the column "price", and 1 of its 1 values are something else, as "far"/,
    );
    await assert.rejects(
      served(`${header}1,31/12/2024,2024-05-03T07:00:00+02:00,"1,5",3\n`),
      /1 of its 1 values .* "31\/12\/2024" begins with the day.*--date-format "seen=%d\/%m\/%Y"\.$/,
    );
  });
});
