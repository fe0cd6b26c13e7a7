/** How columns of text are read: the rules over DuckDB's counts, and the values that DuckDB makes of them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { identifier, literal } from "../../data/sql.js";
import { type DecideContext, type Decision, decideReadings, wantShapes } from "../../reading/decide.js";
import { givenFormats } from "../../reading/given.js";
import { typeOf } from "../../reading/reading.js";
import { valueSql } from "../../reading/sql.js";
import { type Database, openDuckdb } from "../sources/duckdb.js";
import { takeCensus } from "./text-census.js";

type Texts = readonly (string | null)[];

interface Case {
  readonly texts: Texts;
  /** Type in DuckDB, and of each text its value as text. */
  readonly type: string;
  readonly values: Texts;
  readonly context?: Partial<DecideContext>;
  readonly nullValues?: readonly string[];
  readonly note?: RegExp;
}

/** Of text: the same words. */
const same = (texts: Texts, more: Partial<Case> = {}): Case => ({ texts, type: "VARCHAR", values: texts, ...more });
const read = (type: string, pairs: Readonly<Record<string, string | null>>, more: Partial<Case> = {}): Case => ({
  texts: Object.keys(pairs),
  type,
  values: Object.values(pairs),
  ...more,
});
/** Enough numbers for a few odd values among them to be left out. */
const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.5`, `${i}.5`]));
const formats = (...given: string[]) => ({ formats: givenFormats(given, [{ name: "x" }]) });

const cases: Readonly<Record<string, Case>> = {
  // Numbers as they are.
  "whole numbers": read("BIGINT", { "1": "1", "-20": "-20", "0": "0", "+5": "5" }),
  "whole numbers with spaces around them": read("BIGINT", { " 1": "1", "2 ": "2" }),
  "numbers up to 2^53": read("BIGINT", { "9007199254740992": "9007199254740992", "1": "1" }),
  "numbers beyond 2^53": same(["9007199254740993", "1"], { note: /more digits than a number keeps/ }),
  "twenty digits": same(["12345678901234567890", "98765432109876543210"]),
  "large numbers with fractions": read("DOUBLE", { "12345678901234567890": "1.2345678901234567e+19", "0.5": "0.5" }),
  fractions: read("DOUBLE", { "1.50": "1.5", ".5": "0.5", "5.": "5.0", "-0.25": "-0.25" }),
  "powers of ten": read("DOUBLE", { "1e-5": "1e-05", "2.5E+3": "2500.0" }),
  "powers that are too large": read("DOUBLE", { ...many, "1e400": null }),
  "leading zeros": same(["0123", "4567"], { note: /"0123" has a leading zero; --numeric x/ }),
  "one leading zero among many": same([...Array.from({ length: 99 }, (_, i) => String(i + 10)), "007"]),
  "a lone zero is a number": read("BIGINT", { "0": "0", "10": "10" }),
  "leading zeros of fractions": read("DOUBLE", { "00.5": "0.5", "01.25": "1.25" }),
  "leading zeros as numbers": read(
    "BIGINT",
    { "0123": "123", "45": "45" },
    { context: { wanted: new Map([["x", "number"]]) } },
  ),
  underscores: same(["1_23", "4_56"]),
  "codes with an E": same(["12E4", "13E5", "1234"], { note: /"1[23]E[45]" has an E among digits/ }),
  "telephone numbers": same(["+491701234567", "+49301234567"]),
  "telephone numbers in groups": same(["+49 301 234 567", "+49 301 234 568"]),
  "zip codes with an addition": same(["02139-1234", "10001"]),
  versions: same(["1.2.3", "1.10.0"]),
  addresses: same(["192.168.0.1", "10.0.0.1"]),
  "codes of rooms": same(["Room 12", "Room 13"]),
  "letters and digits": same(["A12", "B13", "C7"]),
  ranges: same(["10-20", "20-30"]),
  hexadecimal: same(["0x1F", "0x20"]),
  // Marks of missing values.
  "NA among numbers": read("BIGINT", { "1": "1", NA: null, "3": "3" }, { note: /1 value "NA" count/ }),
  "several marks": read("DOUBLE", {
    "1.5": "1.5",
    "?": null,
    "-": null,
    ".": null,
    "N/A": null,
    null: null,
    None: null,
    nan: null,
  }),
  "NA among names": same(["NA", "US", "DE"]),
  "marks alone": same(["NA", "NA"]),
  "NA among days": read("DATE", { "2024-01-02": "2024-01-02", NA: null }),
  "NA among yes and no": read("VARCHAR", { yes: "yes", no: "no", NA: null }),
  "marks that were given": read("BIGINT", { "1": "1", "99": null }, { nullValues: ["99"] }),
  "marks that were given, among names": {
    texts: ["a", "none"],
    type: "VARCHAR",
    values: ["a", null],
    nullValues: ["none"],
  },
  "no marks": same(["1", "NA", "2"], { nullValues: [] }),
  "words among numbers": read("DOUBLE", { ...many, few: null }),
  "words among codes": same(["1", "2", "3", "4", "5", "6", "7", "8", "9", "X"]),
  "infinities among numbers": read(
    "DOUBLE",
    { "1.5": "1.5", inf: null, "-Infinity": null },
    { note: /2 infinite values/ },
  ),
  "infinities among days": read("DATE", { "2024-01-02": "2024-01-02", infinity: null }),
  "inf among names": same(["inf", "sup"]),
  // Numbers with marks and units.
  thousands: read("BIGINT", { "1,234": "1234", "1,234,567": "1234567", "854": "854" }),
  "thousands alone": read(
    "BIGINT",
    { "1,234": "1234", "5,678": "5678" },
    { note: /a thousand and more .*--decimal ","/ },
  ),
  "thousands and fractions": read("DOUBLE", { "1,234.50": "1234.5", "0.5": "0.5" }),
  "thousands of India": read("DOUBLE", { "12,34,567.5": "1234567.5", "1,00,000": "100000.0" }),
  "points as thousands": read("DOUBLE", { "1.234,50": "1234.5", "2.345.678,25": "2345678.25" }),
  "decimal commas": read("DOUBLE", { "18,20": "18.2", "0,5": "0.5" }),
  "decimal commas with three digits": read("DOUBLE", { "0,485": "0.485", "1,234": "1.234" }),
  "commas in files with semicolons": read(
    "DOUBLE",
    { "1,234": "1.234", "5,678": "5.678" },
    { context: { delimiter: ";" }, note: /is a fraction .*--decimal "\."/ },
  ),
  "commas that are said to be decimal": read("DOUBLE", { "1,234": "1.234" }, { context: { decimal: "," } }),
  "points that are thousands where commas are decimal": read(
    "BIGINT",
    { "1.234": "1234", "5.678": "5678" },
    { context: { decimal: "," } },
  ),
  "spaces as thousands": read("DOUBLE", { "1 234,50": "1234.5", "12 345": "12345.0" }),
  "thin spaces as thousands": read("BIGINT", { "1\u202f234": "1234", "12\u00a0345": "12345" }),
  "apostrophes as thousands": read("DOUBLE", { "1'234.50": "1234.5", "1’234’567.25": "1234567.25" }),
  percents: read("DOUBLE", { "76.5%": "76.5", "12 %": "12.0" }),
  dollars: read("DOUBLE", { "$1,960.37": "1960.37", "-$5": "-5.0", "$-5.25": "-5.25", "$0.5": "0.5" }),
  euros: read("DOUBLE", { "1.234,50 €": "1234.5", "5,25 €": "5.25" }),
  "codes of currencies": read("DOUBLE", { "EUR 12.50": "12.5", "12.75": "12.75" }),
  kilometres: read("BIGINT", { "5 km": "5", "12km": "12" }),
  "units with a slash": read("BIGINT", { "5 km/h": "5", "120 km/h": "120" }),
  "several units": same(["5 km", "3 mi", "7 km", "9 mi"], { note: /several units \("km", "mi"\)/ }),
  brackets: read("BIGINT", { "(5)": "-5", "1,234": "1234", "(2,000)": "-2000" }),
  "brackets behind a unit": read("DOUBLE", { "$ (1,200.50)": "-1200.5", "$ 300.00": "300.0" }),
  "millions with spaces": read("BIGINT", { "1 000 000": "1000000", "2 500 000": "2500000" }),
  "points with a unit, either": read(
    "DOUBLE",
    { "5 €": "5.0", "1.234 €": "1.234" },
    { note: /is a fraction .*--decimal ","/ },
  ),
  "numbers beside a column of decimal commas": read(
    "DOUBLE",
    { "1.5": "1.5", "2.25": "2.25" },
    { context: { decimal: "," } },
  ),
  "a minus behind": read("DOUBLE", { "1,234.50-": "-1234.5", "5.25": "5.25" }),
  "a minus of typesetters": read("DOUBLE", { "−1,234.5": "-1234.5", "2.5": "2.5" }),
  "brackets among plain numbers": read(
    "DOUBLE",
    { "(5.00)": "-5.0", "7.00": "7.0", "-3.5": "-3.5" },
    { note: /"\(5\.00\)" is negative/ },
  ),
  "brackets among whole numbers": read("BIGINT", { "(5)": "-5", "7": "7", "(-8)": "-8" }, { note: /is negative/ }),
  "a minus behind among plain numbers": read(
    "DOUBLE",
    { "1.5-": "-1.5", "5.25": "5.25" },
    { note: /"1\.5-" is negative/ },
  ),
  "a minus of typesetters among whole numbers": read(
    "BIGINT",
    { "\u221215": "-15", "5": "5", "+7": "7" },
    { note: /is negative/ },
  ),
  "a minus of typesetters and decimal commas": read("DOUBLE", { "\u22121,5": "-1.5", "2,25": "2.25" }),
  // Days and times.
  days: read("DATE", { "2024-11-12": "2024-11-12", "2024-1-5": "2024-01-05" }),
  "days that are none": read("DATE", { "2024-02-28": "2024-02-28", "2024-02-30": null }),
  times: read("TIMESTAMP", {
    "2024-11-12 14:05": "2024-11-12 14:05:00",
    "2024-11-12T14:05:09.5": "2024-11-12 14:05:09.5",
  }),
  "days and times": read("TIMESTAMP", {
    "2024-11-12": "2024-11-12 00:00:00",
    "2024-11-12 14:05:00": "2024-11-12 14:05:00",
  }),
  "times with Z": read("TIMESTAMP", {
    "2024-11-12T14:05:00Z": "2024-11-12 14:05:00",
    "2024-11-12T14:05:00.123456789Z": "2024-11-12 14:05:00.123456",
  }),
  "times with offsets": read("TIMESTAMP", {
    "2024-09-27T07:54:00+02:00": "2024-09-27 07:54:00",
    "2024-01-27 07:54:00-0500": "2024-01-27 07:54:00",
  }),
  "times with names of zones": read("TIMESTAMP", {
    "2024-09-27 07:54:00 UTC": "2024-09-27 07:54:00",
    "2024-09-27 07:54 CET": "2024-09-27 07:54:00",
  }),
  "months in German": read("DATE", {
    "12. März 2024": "2024-03-12",
    "1. Mai 2024": "2024-05-01",
    "3. Okt. 2024": "2024-10-03",
    "24. Dezember 2023": "2023-12-24",
  }),
  "months in French": read("DATE", {
    "3 janvier 2024": "2024-01-03",
    "14 juil. 2024": "2024-07-14",
    "1 août 2024": "2024-08-01",
    "25 décembre 2023": "2023-12-25",
  }),
  "months in Spanish and Portuguese": read("DATE", {
    "5 de mayo de 2024": "2024-05-05",
    "1 de enero de 2024": "2024-01-01",
    "7 de setembro de 2024": "2024-09-07",
    "5 mayo de 2024": "2024-05-05",
    "5 de mayo 2024": "2024-05-05",
  }),
  "months in Italian and Dutch": read("DATE", {
    "2-giu-2024": "2024-06-02",
    "25-apr-2024": "2024-04-25",
    "5-mrt-2024": "2024-03-05",
    "27-mei-2024": "2024-05-27",
  }),
  "days of the week before numbers": read("DATE", { "Fri 01/05/2024": "2024-01-05", "Wed 01/31/2024": "2024-01-31" }),
  "days of the week and o'clock in German": read("TIMESTAMP", {
    "Fr., 19.01.2024 07:30 Uhr": "2024-01-19 07:30:00",
    "Montag, den 8. Januar 2024 18:05 Uhr": "2024-01-08 18:05:00",
  }),
  "day first": read("DATE", { "31/12/2024": "2024-12-31", "05/03/2024": "2024-03-05" }),
  "month first": read("DATE", { "12/31/2024": "2024-12-31", "05/03/2024": "2024-05-03" }),
  "either first": read(
    "DATE",
    { "05/03/2024": "2024-03-05", "06/04/2024": "2024-04-06" },
    { note: /the day is first .*--date-format "x=%m\/%d\/%Y/ },
  ),
  "either first, as other columns say": read("DATE", { "05/03/2024": "2024-05-03" }, { context: formats("%m/%d/%Y") }),
  "first days of months": read(
    "DATE",
    { "11/01/2021": "2021-11-01", "05/01/2022": "2022-05-01" },
    { note: /first of a month/ },
  ),
  "both orders": same(["31/12/2024", "12/31/2024"], { note: /begin with the day and with the month/ }),
  "both orders, one given": read(
    "DATE",
    { "31/12/2024": "2024-12-31", "05/03/2024": "2024-03-05", "12/31/2024": null },
    { context: formats("x=%d/%m/%Y") },
  ),
  "days with dots": read("TIMESTAMP", {
    "31.12.2024 14:05": "2024-12-31 14:05:00",
    "1.2.2024 7:05": "2024-02-01 07:05:00",
  }),
  "days with dots, either first": read("DATE", { "05.03.2024": "2024-03-05", "06.04.2024": "2024-04-06" }),
  "days with slashes, year first": read("DATE", { "2024/11/12": "2024-11-12", "2024/1/5": "2024-01-05" }),
  "AM and PM": read("TIMESTAMP", {
    "12/31/2024 2:05 PM": "2024-12-31 14:05:00",
    "1/2/2024 12:30 AM": "2024-01-02 00:30:00",
  }),
  "AM and PM, either first": read("TIMESTAMP", {
    "05/03/2024 2:05 pm": "2024-05-03 14:05:00",
    "06/04/2024 2:05 am": "2024-06-04 02:05:00",
  }),
  "a.m. and p.m.": read("TIMESTAMP", { "12/31/2024 2:05:09 p.m.": "2024-12-31 14:05:09" }),
  "years of two digits": read("DATE", { "31/12/24": "2024-12-31", "01/02/69": "1969-02-01", "01/02/68": "2068-02-01" }),
  "years of two digits, first": read("DATE", {
    "24-11-12": "2024-11-12",
    "24-12-31": "2024-12-31",
    "25-01-05": "2025-01-05",
  }),
  "months by their short names": read("DATE", {
    "12-Nov-2024": "2024-11-12",
    "3-may-2023": "2023-05-03",
    "1 Sept 2022": "2022-09-01",
  }),
  "months by their names": read("DATE", {
    "November 12, 2024": "2024-11-12",
    "May 3 2023": "2023-05-03",
    "March 1st, 2022": "2022-03-01",
  }),
  "days of the week": read("TIMESTAMP", {
    "Tue, 12 Nov 2024 14:05:00 +0100": "2024-11-12 14:05:00",
    "Wednesday, 13 November 2024 1:05:00": "2024-11-13 01:05:00",
  }),
  ctime: read("TIMESTAMP", {
    "Tue Nov 12 14:05:00 2024": "2024-11-12 14:05:00",
    "Tue Nov 12 14:05:00 +0000 2024": "2024-11-12 14:05:00",
  }),
  "times without marks": read("TIMESTAMP", {
    "20241112T140500Z": "2024-11-12 14:05:00",
    "20241112T1405": "2024-11-12 14:05:00",
  }),
  "months of years": read("DATE", { "2024-11": "2024-11-01", "2024-01": "2024-01-01" }),
  "names of months and years": read("DATE", { "Nov 2024": "2024-11-01", "January 2023": "2023-01-01" }),
  "two forms in a column": read("DATE", {
    "31.12.2024": "2024-12-31",
    "2024-11-12": "2024-11-12",
    "12-Nov-2024": "2024-11-12",
  }),
  "digits that are days by what was given": read(
    "DATE",
    { "20241112": "2024-11-12", "20240105": "2024-01-05" },
    { context: formats("%Y%m%d") },
  ),
  "digits that are no days": read("BIGINT", { "20241112": "20241112" }),
  "times of day": read("TIME", { "07:30": "07:30:00", "23:59:59": "23:59:59" }),
  "the end of the day among times of day": read("TIME", { "07:30": "07:30:00", "24:00": "24:00:00" }),
  "days as eight digits": read(
    "DATE",
    { "20240131": "2024-01-31", "19991201": "1999-12-01" },
    { note: /as days as %Y%m%d.*--numeric x/ },
  ),
  "days as eight digits, of which one is none": read("DATE", { "20240131": "2024-01-31", "20240230": null }),
  "eight digits that are no days": read("BIGINT", { "20240131": "20240131", "20241301": "20241301" }),
  "days as eight digits as numbers": read(
    "BIGINT",
    { "20240131": "20240131", "19991201": "19991201" },
    { context: { wanted: new Map([["x", "number"]]) } },
  ),
  "spans of more than a day": read(
    "DOUBLE",
    { "26:15:00": "94500.0", "0:00:30": "30.0", "100:00:00.5": "360000.5" },
    { note: /spans of time, in seconds, as "/ },
  ),
  "spans of minutes and seconds": read("DOUBLE", { "90:30": "5430.0", "1:05": "65.0", "1:00:05": "3605.0" }),
  "spans, of which one is none": read("DOUBLE", {
    ...Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`${100 + i}:30`, `${60 * (100 + i) + 30}.0`])),
    "90:5": null,
  }),
  "spans in words": read(
    "DOUBLE",
    { "1h 5m": "3900.0", "45m": "2700.0", "2 days 3 hours": "183600.0", "1h30m20s": "5420.0", "90 Min": "5400.0" },
    { note: /spans of time/ },
  ),
  "amounts in one unit of time": read("BIGINT", { "45 min": "45", "90 min": "90" }, { note: /in min/ }),
  "times of day with AM and PM": read("TIME", { "7:30 AM": "07:30:00", "7:30 PM": "19:30:00" }),
  quarters: same(["2024Q1", "2024Q2"]),
  // Yes and no.
  "true and false": read("BOOLEAN", { true: "true", False: "false", T: "true", f: "false" }),
  "yes and no, however they are spelt": {
    texts: ["yes", "yes", "No", "Y", " no", "No", "YES", "n"],
    type: "VARCHAR",
    values: ["yes", "yes", "No", "yes", "No", "No", "yes", "No"],
  },
  "letters for yes and no": same(["Y", "N", "Y"]),
  "yes and no with marks of missing ones": read("VARCHAR", { yes: "yes", no: "no", "n/a": null, "?": null }),
  "yes alone": same(["yes", "Yes"]),
  "letters of two kinds": same(["T", "F", "N"], { note: /read as text, as "[TF]" and "N" are of two kinds/ }),
  "digits among words": same(["1", "yes", "no", "Y", "0"], {
    note: /read as text, as "[01]" and "\w+" are of two kinds/,
  }),
  "more digits among words": same(["1", "yes", "no", "Y", "2"]),
  "yes and other words": same(["yes", "no", "perhaps"]),
};

let db: Database;
let folder = "";
const decisions = new Map<string, Decision>();
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "codistill-reading-"));
  db = await openDuckdb(join(folder, "spill"));
  for (const [name, { texts, context, nullValues }] of Object.entries(cases)) {
    const rows = texts.map((text, i) => `(${i}, ${text === null ? "null" : literal(text)})`);
    await db.run(`create or replace table texts as select * from (values ${rows.join(", ")}) t(i, x)`);
    const all: DecideContext = { formats: { all: [], of: new Map() }, delimiter: ",", ...context };
    const nulls = nullValues ? { nullValues } : {};
    const rowsOf = { table: "texts", numRows: texts.length };
    const census = await takeCensus(db, [{ name: "x" }], rowsOf, nulls, (columns) => wantShapes(columns, all));
    const [decision] = decideReadings(census, all);
    assert.ok(decision);
    decisions.set(name, decision);
    const value = valueSql(identifier("x"), decision.reading, nulls);
    const read = await db.rows(`select cast(${value} as varchar), typeof(${value}) from texts order by i`);
    found.set(name, { values: read.map(([text]) => text as string | null), type: String(read[0]?.[1]) });
  }
});
const found = new Map<string, { readonly values: Texts; readonly type: string }>();
after(async () => {
  await db.close();
  rmSync(folder, { recursive: true });
});

describe("a column of text is read as it is meant", () => {
  for (const [name, { type, values, note }] of Object.entries(cases)) {
    test(name, () => {
      const decision = decisions.get(name);
      assert.deepEqual(found.get(name), { values, type }, JSON.stringify(decision));
      assert.equal(type, typeOf(decision?.reading ?? { as: "text" }), "the type is the one that is told");
      if (note) assert.match(decision?.notes.join("\n") ?? "", note);
    });
  }
});
