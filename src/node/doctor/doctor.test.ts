import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { launcherOf } from "../comm/mpi/launcher.js";
import { engineFinding, mpiFindings, packageFindings } from "./libraries.js";
import { cpuLimitOf, type Machine, machineFindings, machineHere, sharedMemoryFindings } from "./machine.js";
import { probed } from "./probe.js";
import type { Answers } from "./probe-main.js";
import { storeFindings } from "./store.js";

const root = mkdtempSync(join(tmpdir(), "codistill-doctor-"));
after(() => rmSync(root, { recursive: true }));

const sound: Machine = {
  node: "22.1.0",
  cores: 8,
  usable: 8,
  cpuLimit: null,
  freeBytes: 8e9,
  totalBytes: 16e9,
  limitBytes: null,
  hugePages: "always [madvise] never",
  sharedBytes: 8e9,
};

/** What is not in order of a machine. */
function wrong(changes: Partial<Machine>): string[] {
  const machine = { ...sound, ...changes };
  return [...machineFindings(machine), ...sharedMemoryFindings(machine)]
    .filter(({ status }) => status !== "ok")
    .map(({ subject, status, cure }) => `${subject} ${status}: ${cure}`);
}

test("each limit of a machine is told with what to do about it, and a sound machine has nothing to mend", () => {
  assert.deepEqual(wrong({}), []);
  assert.match(wrong({ node: "20.18.3" }).join(), /^Node.js trouble: Install 20.19/);
  assert.match(wrong({ cpuLimit: 2.5 }).join(), /^cores warning: .*--set threads=2,/);
  assert.match(wrong({ usable: 1 }).join(), /^cores warning: .*--bind-to none/);
  assert.match(wrong({ limitBytes: 6e8 }).join(), /^memory warning/);
  assert.match(wrong({ hugePages: "always madvise [never]" }).join(), /^huge pages warning/);
  assert.match(wrong({ sharedBytes: 64e6 }).join(), /^\/dev\/shm warning: .*shm-size/);
});

test("limits of processor time are read as both versions of control groups write them", () => {
  assert.deepEqual(["150000 100000", "max 100000", "-1 100000", "null null", null].map(cpuLimitOf), [
    1.5,
    null,
    null,
    null,
    null,
  ]);
  assert.ok(machineHere().usable >= 1 && machineHere().totalBytes > 0);
});

test("the engine and the packages are tried in a process of their own", async () => {
  const engine = engineFinding(await probed<Answers["engine"]>("engine"));
  assert.equal(engine.status, "ok", engine.found);
  assert.match(engine.found, /^1\.\d+\.\d+, native binding; a product in/);
  const packages = packageFindings(await probed<Answers["packages"]>("packages"));
  assert.deepEqual(
    packages.map(({ status }) => status),
    ["ok", "ok", "ok", "ok"],
  );
});

test("a launcher and a library that do not go together, one without the other, and a crash are troubles with a cure", () => {
  const answer = { version: "MPICH Version: 4.0.2", family: "mpich", rank: 0, size: 1, threadLevel: "serialized" };
  const open = launcherOf({ OMPI_COMM_WORLD_SIZE: "2", OMPI_COMM_WORLD_RANK: "0" });
  const states = (...[launcher, mpi]: Parameters<typeof mpiFindings>) =>
    mpiFindings(launcher, mpi).map(({ status }) => status);
  assert.deepEqual(states(open, { answer: { ...answer, size: 2 } }), ["ok", "ok"]);
  const [, mismatch] = mpiFindings(open, { answer });
  assert.match(`${mismatch?.status} ${mismatch?.found}`, /trouble MPICH Version: 4.0.2 sees 1 of 2 processes/);
  assert.deepEqual(states(open, { trouble: "ended by SIGSEGV" }), ["ok", "trouble"]);
  assert.deepEqual(states(launcherOf({ SLURM_NTASKS: "2", SLURM_PROCID: "0", SLURM_STEP_ID: "0" }), { answer }), [
    "trouble",
  ]);
  // Without a launcher nobody asked for MPI.
  assert.deepEqual(states(launcherOf({}), { trouble: "there is none" }), ["ok"]);
});

test("a store is tried and left as it was: one that is there, one that is not, one that cannot be", async () => {
  const store = join(root, "store");
  const missing = await storeFindings(join(root, "new", "deeper"));
  assert.deepEqual(
    missing.map(({ subject, status }) => `${subject} ${status}`),
    ["store warning", "clock ok"],
  );
  assert.equal(existsSync(join(root, "new")), false);
  writeFileSync(join(root, "file"), "");
  assert.deepEqual(
    (await storeFindings(join(root, "file", "store"))).map(({ status }) => status),
    ["trouble"],
  );
  symlinkSync(root, store);
  const before = readdirSync(root);
  const [there] = await storeFindings(store);
  assert.match(`${there?.status} ${there?.found}`, /ok .*put in \d+ ms, got in \d+ ms, removed in \d+ ms/);
  assert.deepEqual(readdirSync(root), before);
});
