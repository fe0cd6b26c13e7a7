import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { deadPid } from "../../../test/fixtures/dead-process.js";
import { tinyConfig } from "../../../test/fixtures/tiny-run.js";
import type { LoggedProcess } from "../../log/events.js";
import { runsLines } from "../../report/runs.js";
import { listRuns, summarizeRun } from "./list-runs.js";
import { ownIdentity } from "./process-identity.js";

const root = mkdtempSync(join(tmpdir(), "codistill-runs-"));
after(() => rmSync(root, { recursive: true }));

interface GroupLog extends LoggedProcess {
  readonly step: number;
  readonly end?: "finished" | "stopped" | "failed";
}

function makeRun(name: string, time: string, groups: readonly GroupLog[], testLoss?: number, pid?: number): string {
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "config.json"), JSON.stringify(tinyConfig({ numGroups: 2 })));
  writeFileSync(join(folder, "log.jsonl"), `${JSON.stringify({ time, event: "run-start", pid })}\n`);
  for (const [group, { step, end, ...started }] of groups.entries()) {
    mkdirSync(join(folder, `group-${group}`));
    const events = [
      { event: "group-start", group, ...started, step: 0 },
      { event: "step", group, step },
      ...(end ? [{ event: "group-end", group, step, reason: end }] : []),
    ];
    const lines = events.map((event) => JSON.stringify({ time, ...event }));
    writeFileSync(join(folder, `group-${group}`, "log.jsonl"), `${lines.join("\n")}\n{"torn`);
  }
  if (testLoss !== undefined) {
    const result = {
      shippedGroup: 0,
      groups: [
        { group: 1, testLoss: 9 },
        { group: 0, testLoss },
      ],
    };
    writeFileSync(join(folder, "result.json"), JSON.stringify(result));
  }
  return folder;
}

test("a run's state is what its logs and its processes say", () => {
  const me = process.pid;
  const state = (name: string, groups: readonly GroupLog[]) =>
    summarizeRun(makeRun(name, "2026-01-01T00:00:00.000Z", groups))?.state;
  assert.equal(state("a", []), "preparing");
  assert.equal(
    state("b", [
      { pid: me, step: 5 },
      { pid: me, step: 6 },
    ]),
    "training",
  );
  assert.equal(
    state("c", [
      { pid: me, step: 5 },
      { pid: me, step: 6, end: "finished" },
    ]),
    "training",
  );
  assert.equal(
    state("d", [
      { pid: deadPid, step: 5 },
      { pid: me, step: 6, end: "finished" },
    ]),
    "failed",
  );
  assert.equal(
    state("e", [
      { pid: me, step: 5, end: "stopped" },
      { pid: me, step: 6, end: "finished" },
    ]),
    "stopped",
  );
  assert.equal(
    state("f", [
      { pid: me, step: 9, end: "finished" },
      { pid: me, step: 9, end: "finished" },
    ]),
    "finished",
  );
});

test("a run has come as far as its last step, its last checkpoint or its end says", () => {
  const folder = makeRun("far", "2026-01-01T00:00:00.000Z", []);
  const log = join(folder, "group-0", "log.jsonl");
  mkdirSync(join(folder, "group-0"));
  const events = [
    { event: "group-start", group: 0, pid: process.pid, step: 0 },
    { event: "step", group: 0, step: 10 },
    { event: "checkpoint", group: 0, step: 17 },
    { event: "group-end", group: 0, step: 19, reason: "stopped" },
  ];
  const stepAfter = (number: number) => {
    writeFileSync(
      log,
      events
        .slice(0, number)
        .map((event) => `${JSON.stringify({ time: "2026-01-01T00:00:00.000Z", ...event })}\n`)
        .join(""),
    );
    return summarizeRun(folder)?.groups[0]?.step;
  };
  assert.deepEqual([1, 2, 3, 4].map(stepAfter), [0, 10, 17, 19]);
});

test("a run that ended before its groups began has failed, or was stopped", () => {
  const runOf = (name: string, pid: number) => makeRun(name, "2026-01-01T00:00:00.000Z", [], undefined, pid);
  assert.equal(summarizeRun(runOf("g", process.pid))?.state, "preparing");
  const gone = runOf("h", deadPid);
  assert.equal(summarizeRun(gone)?.state, "failed");
  appendFileSync(
    join(gone, "log.jsonl"),
    `${JSON.stringify({ time: "2026-01-01T00:00:01.000Z", event: "stop-requested" })}\n`,
  );
  assert.equal(summarizeRun(gone)?.state, "stopped");
});

test("a process whose id came again is not the one that trained; one that cannot be seen from here may be there", () => {
  const own = ownIdentity();
  const stateOf = (name: string, process: LoggedProcess) =>
    summarizeRun(
      makeRun(name, "2026-01-01T00:00:00.000Z", [
        { ...process, step: 5 },
        { ...process, step: 5 },
      ]),
    )?.state;
  assert.equal(stateOf("i", own), "training");
  assert.equal(stateOf("j", { ...own, startTime: "1" }), "failed");
  assert.equal(stateOf("k", { ...own, bootId: "before a restart" }), "failed");
  assert.equal(stateOf("l", { ...own, pid: deadPid }), "failed");
  assert.equal(stateOf("m", { ...own, pidNamespace: "pid:[1]" }), "training");
  assert.equal(stateOf("n", { ...own, host: "elsewhere", bootId: "another", pid: deadPid }), "training");
});

test("runs are listed in the order of their start, with the shipped group's result; other folders are not", () => {
  rmSync(root, { recursive: true });
  mkdirSync(root);
  const done = { pid: process.pid, step: 10, end: "finished" } as const;
  makeRun("a-later", "2026-01-02T00:00:00.000Z", [done, done], 0.25);
  makeRun("b-earlier", "2026-01-01T00:00:00.000Z", [done, { ...done, step: 4, end: "stopped" }]);
  mkdirSync(join(root, "no-run"));
  writeFileSync(join(root, "file"), "");
  const runs = listRuns(root);
  assert.deepEqual(
    runs.map((run) => [run.folder, run.state, run.state === "unreadable" ? run.why : run.testLoss]),
    [
      [join(root, "b-earlier"), "stopped", null],
      [join(root, "a-later"), "finished", 0.25],
    ],
  );
  const [head = "", first = "", second = ""] = runsLines(runs);
  assert.match(head, /^run +name +started \(UTC\) +state +steps +groups +test loss$/);
  assert.match(first, /b-earlier +tiny +2026-01-01 00:00:00 +stopped +4\/\d+ +2 +-$/);
  assert.match(second, /a-later .* finished +10\/\d+ +2 +0\.2500$/);
  assert.deepEqual(listRuns(join(root, "nowhere")), []);
});

test("the runs of a cross-validation or a distillation, which is a folder of runs, are listed", () => {
  rmSync(root, { recursive: true });
  mkdirSync(join(root, "x-distilled"), { recursive: true });
  writeFileSync(join(root, "x-distilled", "generations.json"), "{}");
  const done = { pid: process.pid, step: 10, end: "finished" } as const;
  makeRun(join("x-distilled", "generation-2"), "2026-01-03T00:00:00.000Z", [done], 0.5);
  makeRun(join("x-distilled", "generation-1"), "2026-01-01T00:00:00.000Z", [done], 0.75);
  makeRun("between", "2026-01-02T00:00:00.000Z", [done], 0.25);
  assert.deepEqual(
    listRuns(root).map(({ folder }) => folder.slice(root.length + 1)),
    [join("x-distilled", "generation-1"), "between", join("x-distilled", "generation-2")],
  );
});

test("a run that cannot be read is listed with the reason, and hides no other", () => {
  rmSync(root, { recursive: true });
  mkdirSync(root);
  const done = { pid: process.pid, step: 10, end: "finished" } as const;
  const bad: Readonly<Record<string, readonly [file: string, content: string | null, why: RegExp]>> = {
    "no-config": ["config.json", null, /^it has a log, and no config\.json$/],
    "torn-config": ["config.json", '{"name": "x', /config\.json is damaged/],
    "many-groups": ["config.json", '{"name": "x", "numGroups": 4294967296}', /config\.json is damaged: .*numGroups/],
    "list-config": ["config.json", "[1]", /config\.json is damaged/],
    "deep-config": ["config.json", "[".repeat(100_000), /config\.json is damaged/],
    "huge-config": ["config.json", `{"name": "${"x".repeat(17 << 20)}"}`, /at most 16777216 bytes/],
    "newer-config": ["config.json", '{"version": 99}', /config\.json: version must be 2, got 99/],
    "newer-log": [
      "log.jsonl",
      '{"time":"t","event":"run-start","version":99}\n',
      /log\.jsonl: version must be 2, got 99/,
    ],
    "bad-scope": ["scope.json", "{}", /scope\.json is damaged: .*groups/],
    "bad-result": ["result.json", '{"groups": 7}', /result\.json is damaged/],
  };
  for (const [name, [file, content]] of Object.entries(bad)) {
    const path = join(makeRun(name, "2026-01-01T00:00:00.000Z", [done, done]), file);
    rmSync(path, { force: true });
    if (content !== null) writeFileSync(path, content);
  }
  const folderAsLog = makeRun("folder-as-log", "2026-01-01T00:00:00.000Z", [done, done]);
  rmSync(join(folderAsLog, "group-0", "log.jsonl"));
  mkdirSync(join(folderAsLog, "group-0", "log.jsonl"));
  makeRun("good", "2026-01-01T00:00:00.000Z", [done, done]);
  const runs = listRuns(root);
  for (const run of runs) {
    const name = run.folder.slice(root.length + 1);
    if (name === "good") assert.equal(run.state, "finished");
    else {
      assert.ok(run.state === "unreadable", name);
      assert.match(run.why, bad[name]?.[2] ?? /log\.jsonl must be a regular file, it is a folder/, name);
      assert.ok(run.why.length <= 300 && !run.why.includes("\n"), name);
    }
  }
  assert.equal(runs.length, Object.keys(bad).length + 2);
  const lines = runsLines(runs);
  assert.match(lines.join("\n"), /newer-config +- +- +unreadable +- +- +-\n/);
  assert.ok(lines.includes(`${join(root, "no-config")} cannot be read: it has a log, and no config.json`));
  assert.throws(() => listRuns(join(root, "good", "config.json")), /runs are in a folder/);
});
