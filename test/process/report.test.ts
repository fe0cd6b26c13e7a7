/** Reports of runs, as users ask for them. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { workplace } from "./fixture.js";
import { resultOf } from "./results.js";

const place = workplace();
const HOSTILE = "<img src=x onerror=alert(1)>";

test("the report of a run says what it came to, and what a name holds stays text", async () => {
  const folder = await place.finishedCopy();
  const config = JSON.parse(readFileSync(folder.config, "utf8"));
  const { size, ...numeric } = config.data.numeric;
  writeFileSync(
    folder.config,
    JSON.stringify({ ...config, data: { ...config.data, numeric: { ...numeric, [HOSTILE]: size } } }),
  );
  const path = `${folder.path}${HOSTILE.replace("/", "")}`;
  renameSync(folder.path, path);
  const made = await place.command(["report", path]);
  assert.equal(made.code, 0, made.shown);
  const html = readFileSync(join(path, "report.html"), "utf8");
  assert.ok(!html.includes("<img"), "a name became an element");
  assert.ok(html.includes("&lt;img src=x onerror=alert(1)&gt;"));
  assert.doesNotMatch(html, /https?:\/\//);
  assert.ok(html.length < 1e6);
  const { groups } = JSON.parse(readFileSync(join(path, "result.json"), "utf8"));
  const text = readFileSync(join(path, "report.md"), "utf8");
  assert.ok(text.includes(`| group 0, ships | ${groups[0].testLoss.toFixed(4)} |`), text);
  assert.match(text, /^## What this does not show$/m);
  assert.match(text, /^\| numSteps \|.*$|^One group|^2 groups/m);
  assert.ok(!text.replace(/^ {4}.*$/gm, "").includes("<img"), text);
});

test("several runs stand side by side, with what they differ in", async () => {
  const { folder } = await place.finished();
  const other = await place.train([await place.config("other.json", { numSteps: 80, numGroups: 1 })]);
  const { code, shown } = await other.ended;
  assert.equal(code, 0, shown);
  const second = await other.folder();
  const out = place.path("side-by-side");
  const made = await place.command(["report", folder.path, second.path, "--out", out, "--json"]);
  assert.equal(made.code, 0, made.shown);
  const { html, markdown } = JSON.parse(made.stdout);
  assert.ok(existsSync(html));
  const text = readFileSync(markdown, "utf8");
  assert.match(text, /^\| numSteps \| 60 \| 80 \|$/m);
  assert.match(text, /^\| numGroups \| 2 \| 1 \|$/m);
  for (const run of [folder, second]) {
    assert.ok(text.includes((resultOf(run).groups[0]?.testLoss ?? 0).toFixed(4)), text);
  }
});

test("what has no report is refused, with its sentence", async () => {
  const { folder } = await place.finished();
  const empty = place.path("no-run");
  mkdirSync(empty, { recursive: true });
  const begun = place.path("begun");
  mkdirSync(begun, { recursive: true });
  writeFileSync(join(begun, "comparison.json"), JSON.stringify({ version: 2 }));
  for (const [args, pattern] of [
    [[empty], /is not a run folder: it has no config\.json/],
    [[folder.path, empty], /is not a run folder/],
    [[folder.path, "--out", place.path("elsewhere")], /--out is of several runs/],
    [[begun], /has nothing to report yet: .*codistill compare --resume/],
    [[folder.path, begun], /several folders are of runs, and .*begun is of a comparison/],
    [[], /missing required argument 'folders'/],
  ] as const) {
    const { code, stderr, shown } = await place.command(["report", ...args]);
    assert.equal(code, 2, shown);
    assert.match(stderr, pattern, shown);
    assert.doesNotMatch(stderr, /\n\s+at /, shown);
  }
  const damaged = place.path("damaged");
  cpSync(folder.path, damaged, { recursive: true });
  writeFileSync(join(damaged, "result.json"), "{}");
  const refused = await place.command(["report", damaged]);
  assert.notEqual(refused.code, 0, refused.shown);
  assert.match(refused.stderr, /result\.json/, refused.shown);
  rmSync(damaged, { recursive: true });
});
