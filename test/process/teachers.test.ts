/** Teachers that do not change, from flags to the result. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { workplace } from "./fixture.js";
import { resultOf, weightsOf } from "./results.js";

const place = workplace();
const data = ["--data", "rows.csv", "--label", "late", "--ignore", "date"];
const short = ["--set", "numSteps=80", "--set", "validationInterval=20", "--set", "checkpointInterval=20"];

const longer = ["--set", "numSteps=400", "--set", "validationInterval=40"];

test("a new model stays close to the one in use, which the run keeps a copy of", async () => {
  const first = place.train([...data, ...longer, "--set", "seed=1"]);
  assert.equal((await first.ended).code, 0, (await first.ended).shown);
  const inUse = (await first.folder()).model.onnx;
  const again = (flags: readonly string[]) =>
    place.train([...data, ...longer, "--set", "seed=2", ...flags, "--write", place.path(`${flags.length}.config.ts`)]);
  const [plain, anchored] = [again([]), again(["--anchor", dirname(inUse), "--teacher-weight", "0.9"])];
  const [, { code, stdout, shown }] = [await plain.ended, await anchored.ended];
  assert.equal(code, 0, shown);
  assert.match(stdout, /^taught +90 % of the label loss is against 1 fixed teacher$/m, shown);
  assert.match(
    stdout,
    /^data: 90 % of the label loss is against what a model \(teachers\.0\) predicts, computed once/m,
    shown,
  );
  assert.match(stdout, /^teachers +0\.\d{4}/m, shown);
  assert.match(stdout, /^the shipped model decides [\d.]+ % of the test rows differently from its teachers/m, shown);
  const folder = await anchored.folder();
  const { teachers, groups } = resultOf(folder);
  const apart = await place.command(["churn", inUse, folder.model.onnx, "--data", "rows.csv", "--json"]);
  const plainApart = await place.command([
    "churn",
    inUse,
    (await plain.folder()).model.onnx,
    "--data",
    "rows.csv",
    "--json",
  ]);
  const distance = ({ stdout: json }: typeof apart): number => JSON.parse(json).distance;
  assert.ok(distance(apart) < 0.9 * distance(plainApart), `${distance(apart)} ${distance(plainApart)}`);
  assert.ok(Math.abs((teachers?.testLoss ?? 0) - (groups[0]?.testLoss ?? 1)) < 0.02);
  // The teacher goes away, and the run goes on.
  renameSync(inUse, place.path("elsewhere.onnx"));
  const before = await weightsOf(folder);
  rmSync(folder.result);
  const resumed = place.resume(folder);
  assert.equal((await resumed.ended).code, 0, (await resumed.ended).shown);
  assert.equal(await weightsOf(folder), before);
  renameSync(place.path("elsewhere.onnx"), inUse);
});

test("a column teaches and is no feature, and classes have a column each", async () => {
  const one = place.train([...data, ...short, "--teacher", "size"]);
  const { code, stdout, shown } = await one.ended;
  assert.equal(code, 0, shown);
  assert.match(stdout, /^size +DOUBLE +ignored .* what a teacher predicts$/m, shown);
  const config = JSON.parse(readFileSync((await one.folder()).config, "utf8"));
  assert.deepEqual(config.teachers, [{ column: "size", weight: 1 }]);
  assert.ok(!Object.hasOwn(config.data.numeric, "size"));
  await place.write(
    "classes.csv",
    `kind,x,p_a,p_b,p_c\n${Array.from({ length: 300 }, (_, i) => `${"abc"[i % 3]},${(i * 7) % 11},0.5,0.25,0.25`).join("\n")}\n`,
  );
  const of = ["--data", "classes.csv", "--label", "kind"];
  const several = place.train([...of, ...short, "--teacher", "p_*"]);
  assert.equal((await several.ended).code, 0, (await several.ended).shown);
  const { teachers } = JSON.parse(readFileSync((await several.folder()).config, "utf8"));
  assert.deepEqual(teachers, [{ columns: { a: "p_a", b: "p_b", c: "p_c" }, weight: 1 }]);
  const folds = place.codistill([
    "cross-validate",
    ...of,
    ...short,
    "--teacher",
    "p_*",
    "--folds",
    "2",
    "--runs",
    place.path("folds"),
  ]);
  const validated = await folds.ended;
  assert.equal(validated.code, 0, validated.shown);
  assert.match(validated.stdout, /^teachers, mean of the folds +\d\.\d{4}/m, validated.shown);
  assert.match(
    validated.stdout,
    /^over the folds, the shipped model decides [\d.]+ % of the test rows/m,
    validated.shown,
  );
});

test("a model reads files that are written in another way as it is said of them, and is told of where it cannot", async () => {
  const rows = (date: (month: string, day: string) => string, n = 300) =>
    Array.from({ length: n }, (_, i) => {
      const [month, day] = [1 + (i % 12), 1 + (i % 28)].map((one) => String(one).padStart(2, "0"));
      return `${date(`${month}`, `${day}`)},${i % 7},${i % 7 > 3 ? (i % 5 === 0 ? 0.3 : 0.8) : 0.2},${i % 7 > 3 ? "late" : "on time"}`;
    }).join("\n");
  const head = "day,size,p,late\n";
  await place.write("iso.csv", `${head}${rows((month, day) => `2024-${month}-${day}`)}\n`);
  await place.write("days.csv", `${head}${rows((month, day) => `${day}/${month}/2024`)}\n`);
  const of = (file: string) => ["--data", file, "--label", "late", "--positive", "late", "--ignore", "p", ...short];
  const first = place.train([...of("iso.csv"), "--write", place.path("iso.config.ts")]);
  assert.equal((await first.ended).code, 0, (await first.ended).shown);
  const ofYes = ["--data", "iso.csv", "--label", "late = 'late'", "--ignore", "p", ...short];
  const yes = place.train([...ofYes, "--write", place.path("yes.config.ts")]);
  assert.equal((await yes.ended).code, 0, (await yes.ended).shown);
  const plain = (await yes.folder()).model.onnx;
  const anchor = ["--anchor", (await first.folder()).model.onnx];
  const direct = place.train([...of("iso.csv"), ...anchor, "--write", place.path("iso-2.config.ts")]);
  const given = ["--date-format", "%d/%m/%Y", "--write", place.path("days.config.ts")];
  const read = place.train([...of("days.csv"), ...anchor, ...given]);
  const [, { code, stdout, shown }] = [await direct.ended, await read.ended];
  assert.equal(code, 0, shown);
  assert.match(stdout, /teachers\.0\.model: day: read as days as %d\/%m\/%Y, as is said of these files/, shown);
  const { testLoss } = resultOf(await read.folder()).teachers ?? {};
  assert.ok(testLoss !== undefined && testLoss === resultOf(await direct.folder()).teachers?.testLoss, shown);
  // SQL over a column with predictions, of the class that is not yes, leaves the column a feature, which is told.
  const sql = place.train([
    ...["--data", "iso.csv", "--label", "late", "--positive", "late", ...short, "--teacher", "1 - p"],
    ...["--write", place.path("sql.config.ts")],
  ]);
  const turned = await sql.ended;
  assert.equal(turned.code, 0, turned.shown);
  assert.match(turned.stdout, /^note +p: read by the teacher 1 - p, and a feature.*\n? *.*--ignore p$/ms, turned.shown);
  assert.match(turned.stdout, /the teachers are no better than one answer to all rows/, turned.shown);
  // Of yes and no both labels have the same names.
  const other = ["--data", "iso.csv", "--label", "late = 'on time'", "--ignore", "p", ...short];
  const turnedRun = place.train([...other, "--anchor", plain, "--write", place.path("same.config.ts")]);
  const same = await turnedRun.ended;
  assert.equal(same.code, 0, same.shown);
  assert.match(
    same.stdout,
    /teachers\.0\.model \(\S+\): predicts late = 'late', and the label is late = 'on time'; /,
    same.shown,
  );
  const apart = await place.command(["churn", plain, (await turnedRun.folder()).model.onnx, "--data", "iso.csv"]);
  assert.match(
    `${apart.stdout}${apart.stderr}`,
    /the label of \S+ is late = 'late', that of \S+ late = 'on time': /,
    apart.shown,
  );
  await place.write(
    "none.csv",
    `${head}${rows((month, day) => `2024-${month}-${day}`)}\n`.replace(/,size,/, ",length,"),
  );
  const lacks = await place.command(["train", ...of("none.csv"), ...anchor, "--write", place.path("none.config.ts")]);
  assert.equal(lacks.code, 2, lacks.shown);
  assert.match(lacks.stderr, /teachers\.0\.model \(iso-late\): the model reads the column "size" \(numbers\)/);
});

test("wrong uses of teachers are refused with what to do, and nothing is trained", async () => {
  const model = (await place.finished()).folder.model.onnx;
  await place.write("text.onnx", "no model");
  mkdirSync(place.path("begun"));
  await place.write("begun/config.json", "{}");
  for (const [flags, pattern] of [
    [["--anchor", "p"], /--anchor is a run or its model\.onnx, got p\. .* --teacher <column>/],
    [["--anchor", "begun"], /begun has no model\.onnx\. Finish it: codistill train --resume begun/],
    [["--anchor", "none.onnx"], /model: none\.onnx cannot be read: ENOENT/],
    [["--anchor", "text.onnx"], /text\.onnx is not an ONNX model/],
    [["--teacher-weight", "0.5"], /--teacher-weight is of --teacher or --anchor, and neither is given, got 0\.5/],
    [
      ["--anchor", model, "--teacher-weight", "1.5"],
      /--teacher-weight.*must be a share from 0 to 1, as 80% or 0\.8, got "1\.5"/s,
    ],
    [["--teacher", "sise"], /--teacher does not compile: sise.*Did you mean size\?/s],
    [
      ["--teacher", "size * 100"],
      /a teacher gives the probability of the positive label, from 0 to 1, and of [\d,]+ rows/,
    ],
    [["--teacher", "city"], /missing or no number in/],
    [["--teacher", "late"], /--teacher late: a teacher predicts the label, and late is part of it\./],
  ] as const) {
    const { code, shown, stdout, stderr } = await place.command(["train", ...data, ...short, ...flags]);
    assert.equal(code, 2, shown);
    assert.match(`${stdout}${stderr}`, pattern, shown);
    assert.doesNotMatch(stderr, /\n\s+at /, shown);
  }
  const { stderr, code } = await place.command([
    ...["train", "--data", "classes.csv", "--label", "kind", "--teacher", "p_a"],
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /of a label of 3 classes a teacher is a column for each, as probability_\*/);
});
