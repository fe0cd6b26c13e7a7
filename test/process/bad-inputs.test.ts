/**
 * Data as users have it, and not as it should be: each is refused with the rule, what was found and the cure, in words and not
 * with a stack, and nothing is left behind. Tables that are only looked at: `src/node/table/infer/describe.test.ts`.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { workplace } from "./fixture.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();

const rows = Array.from({ length: 600 }, (_, i) => {
  const km = ((i * 37) % 400) / 10;
  return [["north", "south", "east"][i % 3], km, (i * 31) % 100 < 30 + (i % 3) * 20 ? "yes" : "no", 1000 + (i % 300)];
});
const header = "zone,km,late,code";
const lines = rows.map((row) => row.join(","));
const csv = (edit: (lines: string[]) => void = () => {}, head = header) => {
  const edited = [...lines];
  edit(edited);
  return `${head}\n${edited.join("\n")}\n`;
};

async function refused(args: readonly string[], ...patterns: readonly RegExp[]): Promise<void> {
  const entries = () => readdirSync(place.path(".")).filter((name) => name !== ".codistill");
  const files = entries();
  const { code, stdout, stderr, shown } = await place.command(args);
  assert.equal(code, 2, shown);
  assert.doesNotMatch(stderr, /\n\s+at |internal:/, shown);
  for (const pattern of patterns) assert.match(`${stdout}${stderr}`, pattern, shown);
  assert.deepEqual(entries(), files, `nothing is left: ${shown}`);
}

type Cases = Readonly<Record<string, readonly [args: readonly string[], ...patterns: readonly RegExp[]]>>;

/** As many at a time as there are likely to be cores. */
function refusals(cases: Cases): void {
  for (const [name, [args, ...patterns]] of Object.entries(cases)) test(name, () => refused(args, ...patterns));
}

const train = (file: string, ...more: readonly string[]) => [
  "train",
  "--data",
  file,
  ...(more.includes("--label") ? [] : ["--label", "late"]),
  ...more,
];

before(async () => {
  const texts: Readonly<Record<string, string | Uint8Array>> = {
    "good.csv": csv(),
    "short.csv": csv((all) => all.splice(300, 1, "north,5")),
    "long.csv": csv((all) => {
      all.splice(300, 1, "north,1,2,yes,6,7");
      all.splice(400, 1, "south");
    }),
    "nulls.csv": csv((all) => all.splice(0, 600, ...all.map((line) => line.replace(/,(yes|no),/, ",,")))),
    "mixed.json": lines.map((_, i) => JSON.stringify({ zone: "north", km: i, late: "yes" })).join("\n"),
    "mixed.csv": csv(),
    "cut.csv.gz": gzipSync(csv()).subarray(0, 900),
    "not.csv.gz": csv(),
    "cut.jsonl": `${rows.map(([zone], i) => JSON.stringify({ zone, late: i % 2 })).join("\n")}\n{"zone": "no`,
    "bare.csv": lines.join("\n"),
    "semi.tsv": csv().replaceAll(",", ";"),
    "names.csv": csv(undefined, "zone,zone,late,code"),
    "other.csv": csv(undefined, "zones,km,late,code"),
    "word.csv": csv((all) => all.splice(5, 1, "north,far,yes,1000")),
    "words.csv": csv((all) => all.splice(0, 600, ...all.map((line) => line.replace(/,[\d.]+,/, ",far,")))),
    "unlabelled.csv": csv(undefined, "zone,km,when,code"),
    "unknown.csv": csv((all) => all.splice(5, 1, "north,5,perhaps,1000")),
    "onesided.csv": csv((all) => all.splice(0, 600, ...all.map((line) => line.replace(/,no,/, ",yes,")))),
    "empty.csv": "",
    "head.csv": `${header}\n`,
    "broken.onnx": "hello",
    "cut.parquet": readFileSync(place.path("rows.csv")).subarray(0, 4000),
  };
  for (const [name, text] of Object.entries(texts)) await place.write(name, text);
});

describe("train from data refuses", () => {
  refusals({
    "a line that is cut off": [
      train("short.csv"),
      /of 600 lines of .*short\.csv 1 line is no row, and 0 may be left out/,
      /line 302: "north,5": fewer than 4 columns/,
      /--max-bad-rows 1, in a configuration data\.maxBadRows/,
    ],
    "more such lines than may be left out": [
      train("long.csv", "--max-bad-rows", "1"),
      /2 lines are no row, and 1 may be left out/,
      /line 302: "north,1,2,yes,6,7": more than 4 columns/,
      /line 402: "south": fewer than 4 columns/,
    ],
    "a number of bad rows that is none": [
      train("good.csv", "--max-bad-rows", "-1"),
      /--max-bad-rows <number>' argument '-1' is invalid\. must be a whole number/,
    ],
    "files of two formats": [
      train("mixed.*"),
      /all files of a source have one format, got csv \(.*mixed\.csv\) and json \(.*mixed\.json\)/,
    ],
    "gzip that is cut off": [
      train("cut.csv.gz"),
      /cut\.csv\.gz must be a whole gzip file, and is not \(unexpected end of file\)/,
    ],
    "a .gz that is none": [train("not.csv.gz"), /not\.csv\.gz must be a whole gzip file.*must not be named \.gz/],
    "Parquet that is cut off": [train("cut.parquet"), /cannot be read as parquet \(.*cut\.parquet\)/],
    "JSON lines that are cut off": [train("cut.jsonl"), /cannot be read as json \(.*cut\.jsonl\).*line 602/],
    "a file without a header": [
      train("bare.csv"),
      /the first line of the data names no columns/,
      /--columns id,age,late/,
    ],
    "semicolons in a .tsv": [train("semi.tsv"), /A \.tsv is parted by tabs: rename the file to \.csv/],
    "labels that are missing everywhere": [train("nulls.csv"), /it is null in all 600 rows: late/],
    "a label of many values as yes or no": [
      train("good.csv", "--label", "code", "--task", "binary"),
      /--task binary: a binary label has two values, and code has 300\. Write a comparison/,
    ],
    "texts as numbers": [train("good.csv", "--label", "zone", "--task", "regression"), /zone/, /regression/],
    "a place for the configuration that is not there": [
      train("good.csv", "--write", "nowhere/x.config.ts"),
      /nowhere\/x\.config\.ts cannot be written: .*ENOENT/,
    ],
    "a setting with a slip": [
      train("good.csv", "--set", "numStep=5"),
      /numStep: unknown name; did you mean "numSteps"\?/,
    ],
    "a flag with a slip": [train("good.csv", "--lable", "late"), /unknown option '--lable'.*Did you mean --label\?/s],
  });
});

test("what is malformed is left out where that is allowed, said, counted and kept in the configuration", async () => {
  const short = ["--set", "numSteps=20", "--set", "numGroups=1"];
  const args = train("long.csv", "--max-bad-rows", "5", ...short, "--write", "left.config.ts");
  const { code, stdout, shown } = await place.codistill(args).ended;
  assert.equal(code, 0, shown);
  assert.match(stdout, /^note +2 lines of the source are no rows and are left out$/m, shown);
  assert.deepEqual(stdout.match(/^.*2 lines of the source are no rows and are left out$/gm)?.length, 1, shown);
  assert.match(stdout, /598 rows of 4 columns/, shown);
  assert.match(readFileSync(place.path("left.config.ts"), "utf8"), /maxBadRows: 5,/);
});

describe("a served model", () => {
  let model = "";
  before(async () => {
    const config = {
      ...tinyConfig,
      name: "served",
      numGroups: 1,
      data: {
        source: "good.csv",
        label: "late",
        categorical: { zone: "zone" },
        numeric: { km: "km" },
        split: { train: "code < 1200", validation: "code between 1200 and 1249", test: "code >= 1250" },
      },
    };
    const run = place.train([await place.config("served.config.json", config), "--set", "numSteps=60"]);
    const { code, shown } = await run.ended;
    assert.equal(code, 0, shown);
    model = (await run.folder()).model.onnx;
  });

  const predict = (...more: readonly string[]) => ["predict", model, ...more];
  const cases: Readonly<Record<string, readonly [args: () => readonly string[], ...patterns: readonly RegExp[]]>> = {
    "no model": [
      () => ["predict", "modle.onnx", "good.csv"],
      /modle\.onnx cannot be read.*Give the model\.onnx of a run/s,
    ],
    "a model that is none": [() => ["predict", "broken.onnx", "good.csv"], /broken\.onnx/],
    "a column under another name": [
      () => predict("other.csv"),
      /the model reads the column "zone" \(text\), and the data has none of that name/,
      /Did you mean zones\? Rename it to zone/,
    ],
    "words among the numbers": [
      () => predict("words.csv"),
      /reads numbers from the column "km", and 600 of its 600 values are something else, as "far"/,
    ],
    "a line that is cut off": [() => predict("short.csv"), /1 line is no row/, /Mend/],
    "a file without rows": [() => predict("head.csv"), /has 4 columns \(zone, km, late, code\) and no rows/],
    "an empty file": [() => predict("empty.csv"), /empty\.csv is empty/],
    "an output of an unknown kind": [() => predict("good.csv", "--out", "p.xlsx"), /--out must end in .*got p\.xlsx/],
    "an output where nothing can be": [
      () => predict("good.csv", "--out", "nowhere/p.csv"),
      /nowhere\/p\.csv cannot be written/,
    ],
    "labels that are not there": [() => ["evaluate", model, "unlabelled.csv"], /late/, /zone, km, when, code/],
    "labels that training did not know": [
      () => ["evaluate", model, "unknown.csv", "--label", "zone"],
      /at least half of the labels must be of the model's classes, 0 or 1, true or false, and 600 of 600 \(100 %\) are others: "/,
    ],
    "what evaluate cannot read, in its own name": [
      () => ["evaluate", model, "other.csv"],
      /^codistill: evaluate: the model reads the column "zone"/,
    ],
    "one of two costs": [
      () => ["evaluate", model, "good.csv", "--cost-fp", "1"],
      /--cost-fp is given without --cost-fn\. Add --cost-fn, what a wrong no costs .*as in --cost-fp 1 --cost-fn 5\./,
    ],
    "a slice that is no column": [() => ["evaluate", model, "good.csv", "--by", "zonne"], /zonne/, /zone/],
  };
  for (const [name, [args, ...patterns]] of Object.entries(cases))
    test(`refuses ${name}`, () => refused(args(), ...patterns));

  test("says what the argument of a flag is, where it is missing", async () => {
    const { code, stderr, shown } = await place.command(predict("good.csv", "--interval"));
    assert.equal(code, 2, shown);
    assert.match(stderr, /option '--interval <level>' argument missing: .*holds this share .*, as 90%\n/, shown);
  });

  test("counts a label that training did not know, and shows it", async () => {
    const { code, stdout, shown } = await place.command(["evaluate", model, "unknown.csv"]);
    assert.equal(code, 0, shown);
    assert.match(stdout, /^599 rows, label late$/m);
    assert.match(stdout, /^1 row has a label that the model does not know, and counts nowhere: "perhaps" \(1\)$/m);
  });

  test("takes columns in any order, further ones, and names that training never saw as missing", async () => {
    const at = (row: readonly unknown[], ...order: readonly number[]) => order.map((i) => row[i]).join(",");
    const turned = rows.map((row) => at([...row, "x"], 3, 2, 4, 1, 0));
    await place.write("turned.csv", `code,late,more,km,zone\n${turned.join("\n")}\n`);
    await place.write("unseen.csv", `zone,km\n${rows.map(([, km]) => `west,${km}`).join("\n")}\n`);
    await place.write("missing.csv", `zone,km\n${rows.map(([, km]) => `,${km}`).join("\n")}\n`);
    const files = ["good.csv", "turned.csv", "unseen.csv", "missing.csv"];
    const ended = await Promise.all(files.map((file) => place.command(predict(file))));
    const [good, others, unseen, missing] = ended.map(({ code, stdout, shown }) => {
      assert.equal(code, 0, shown);
      return stdout
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.slice(line.lastIndexOf(",") + 1));
    });
    assert.equal(good?.length, rows.length);
    assert.deepEqual(others, good);
    assert.deepEqual(unseen, missing);
    assert.notDeepEqual(unseen, good);
  });

  test("takes a word among numbers as missing, and says so", async () => {
    const { code, stdout, stderr, shown } = await place.command(predict("word.csv"));
    assert.equal(code, 0, shown);
    assert.match(stderr, /^note +km: 1 value cannot be read as numbers and counts as missing, as "far"$/m);
    assert.match(stdout, /^north,far,yes,1000,/m, "the row is written as it was");
  });

  test("says of labels that are all alike what cannot be told", async () => {
    const { code, stdout, stderr, shown } = await place.command(["evaluate", model, "onesided.csv"]);
    assert.equal(code, 0, shown);
    assert.match(stdout, /log loss/, shown);
    assert.match(stdout, /^AUC +-$/m, shown);
    assert.match(stderr, /^note +the label is "\w+" in all of [\d,]+ rows, and the AUC needs .*: add rows/m, shown);
    assert.doesNotMatch(stdout, /NaN/, shown);
  });
});

test("nothing was trained by what was refused", () => {
  assert.equal(readdirSync(place.path("runs")).length, 1);
  assert.ok(!existsSync(place.path("nowhere")));
});
