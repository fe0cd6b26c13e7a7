/**
 * Steps per second of four groups in each topology, and with each fault in one of them, against four groups that train
 * alone on the same machine. All in one run: `npm run bench:topologies`; writes bench/results/topologies.json.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { LoggedEvent } from "../src/log/events.js";
import { readLog } from "../src/node/runs/read-log.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import type { RunInput } from "../src/run/schema.js";
import { end, eventually, type Running, start } from "../test/process/processes.js";
import { withStore } from "../test/process/store-preload.js";
import { tinyConfig, tinyCsv } from "../test/process/tiny.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";

const NUM_GROUPS = 4;
const WINDOW_SECONDS = 3;
const faulty = NUM_GROUPS - 1;
const topologies = {
  all: "all",
  ring: "ring",
  pairs: "pairs",
  degree2: { degree: 2 },
  list: [[], [0], [0, 1], [2]],
} as const;
const faults = ["none", "joins late", "killed and back", "get never resolves", "every second call fails"] as const;
type Fault = (typeof faults)[number];

interface Row {
  readonly topology: string;
  readonly fault: Fault;
  /** The median of each group's step events in the window; the last group is the one with the fault. */
  readonly stepsPerSecond: readonly number[];
}

const mainFile = fileURLToPath(new URL("../src/node/main.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "bench-topologies-"));
writeFileSync(join(root, "rows.csv"), tinyCsv());

/** One group's program, and what its log says. */
function startGroup(name: string, group: number, fault: Fault): Running & { events(): LoggedEvent[] } {
  const store = join(root, `${name}-store`);
  const runs = join(root, `${name}-runs-${group}`);
  const mode = fault === "get never resolves" ? "stuck" : "flaky";
  const isStoreFault = fault === "get never resolves" || fault === "every second call fails";
  const options = { cwd: root, ...(isStoreFault && withStore(mode, faulty)) };
  const args = [mainFile, "train", join(root, `${name}.json`), "--runs", runs, "--store", store, "--group", `${group}`];
  const running = start(process.execPath, args, options);
  return {
    ...running,
    events() {
      const [folder] = existsSync(runs) ? readdirSync(runs) : [];
      return folder === undefined ? [] : readLog(runFolder(join(runs, folder)).group(group).log);
    },
  };
}

type Group = ReturnType<typeof startGroup>;

/** Wait until a group has taken steps since it was started for the n-th time. */
function steps(group: Group, incarnation = 1): Promise<unknown> {
  const look = () => {
    const events = group.events();
    const at = events.findIndex((event) => event.event === "group-start" && event.incarnation === incarnation);
    return at >= 0 && events.slice(at).some(({ event }) => event === "step") ? true : null;
  };
  return eventually("steps", look, group.output);
}

async function measure(name: string, algorithm: RunInput["algorithm"], fault: Fault): Promise<number[]> {
  const config = {
    ...tinyConfig,
    numGroups: NUM_GROUPS,
    numSteps: 1_000_000,
    restarts: 3,
    checkpointInterval: 500,
    algorithm,
  };
  writeFileSync(join(root, `${name}.json`), JSON.stringify(config));
  const groups: Group[] = [];
  const isLate = fault === "joins late";
  try {
    for (let group = 0; group < NUM_GROUPS; group++) {
      if (isLate && group === faulty) await Promise.all(groups.map((other) => steps(other)));
      groups.push(startGroup(name, group, fault));
    }
    // The effects of joining and of dying belong to the window: it begins with them.
    if (!isLate) await Promise.all(groups.map((group) => steps(group)));
    const since = new Date().toISOString();
    const last = groups[faulty]!;
    if (fault === "killed and back") {
      const begun = await eventually(
        "a checkpoint",
        () => (last.events().some(({ event }) => event === "checkpoint") ? last.events() : null),
        last.output,
      );
      const pid = begun.flatMap((event) => (event.event === "group-start" ? [event.pid] : [])).at(-1);
      if (pid) process.kill(pid, "SIGKILL");
      await steps(last, 2);
    } else if (isLate) await steps(last);
    await pause(WINDOW_SECONDS * 1000);
    return groups.map((group) =>
      median(group.events().flatMap((e) => (e.event === "step" && e.time >= since ? [e.stepsPerSecond] : []))),
    );
  } finally {
    // No wait for the end of a fetch that never ends: the parent ends its group with it.
    for (const group of groups) for (const _ of [1, 2]) group.child.kill("SIGINT");
    for (const group of groups) await end(group);
  }
}

const machine = { ...thisMachine(), node: process.version };
const rows: Row[] = [];
const say = (text: string) => process.stdout.write(`${text}\n`);
try {
  // Without a teacher and without publishing, before and after all others, so that a drift of the machine shows.
  const { burnInSteps } = tinyConfig.algorithm;
  const never = { burnInSteps, publishInterval: 1_000_000, topology: [[], [], [], []] };
  const alone = [await measure("alone-before", never, "none")];
  for (const [name, topology] of Object.entries(topologies)) {
    for (const fault of faults) {
      const algorithm = { burnInSteps, publishInterval: 50, exchangeInterval: 50, topology } as RunInput["algorithm"];
      const stepsPerSecond = await measure(`${name}-${faults.indexOf(fault)}`, algorithm, fault);
      rows.push({ topology: name, fault, stepsPerSecond });
    }
  }
  alone.push(await measure("alone-after", never, "none"));
  const baseline = median(alone.flat());
  const round = (value: number, digits: number) => Number(value.toFixed(digits));
  const results = rows.map(({ topology, fault, stepsPerSecond }) => {
    const others = median(stepsPerSecond.slice(0, faulty));
    return {
      topology,
      fault,
      stepsPerSecond: stepsPerSecond.map((value) => round(value, 1)),
      median: round(median(stepsPerSecond), 1),
      ratioOthers: round(others / baseline, 3),
      ratioFaulty: round((stepsPerSecond[faulty] ?? Number.NaN) / baseline, 3),
    };
  });
  say(
    `four groups alone: ${alone.map((values) => values.map((value) => value.toFixed(0)).join(" ")).join(" | ")} steps/s`,
  );
  say(
    `${"topology".padEnd(9)} ${"fault in group 3".padEnd(24)} ${"steps/s of groups 0 to 3".padEnd(28)} others/alone  faulty/alone`,
  );
  for (const { topology, fault, stepsPerSecond, ratioOthers, ratioFaulty } of results) {
    const speeds = stepsPerSecond.map((value) => value.toFixed(0).padStart(6)).join(" ");
    say(
      `${topology.padEnd(9)} ${fault.padEnd(24)} ${speeds} ${ratioOthers.toFixed(2).padStart(13)} ${ratioFaulty.toFixed(2).padStart(13)}`,
    );
  }
  const report = {
    machine,
    windowSeconds: WINDOW_SECONDS,
    alone: alone.flat().map((value) => round(value, 1)),
    baseline: round(baseline, 1),
    results,
  };
  mkdirSync("bench/results", { recursive: true });
  writeFileSync("bench/results/topologies.json", `${JSON.stringify(report, null, 2)}\n`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
