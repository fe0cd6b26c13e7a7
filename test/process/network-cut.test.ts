/** A group on two hosts whose network is cut, beside a group of the same run on a third one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runFolder } from "../../src/node/runs/run-folder.js";
import { isFull } from "../fixtures/full.js";
import { mpiLaunchers } from "../fixtures/mpi-launchers.js";
import { eventsOf, mainFile, nextEvent, ofKind, workplace } from "./fixture.js";
import { cannotJoinHosts, type TwoHosts, twoHosts } from "./two-hosts.js";

const place = workplace();
/** How a launcher starts processes on two hosts, and how it ends them when their network is cut. */
interface Across {
  readonly silentSeconds: number;
  readonly sentence: RegExp;
  /** By TCP alone: on one machine they would find other ways than the link. */
  flags(hosts: TwoHosts): readonly string[];
  env(hosts: TwoHosts): Readonly<Record<string, string>>;
}

const across: Readonly<Record<string, Across>> = {
  MPICH: {
    silentSeconds: 10,
    sentence:
      /of 2 workers not all have come within 10 s \(missing: worker 1 on codistill-\d+-b\): a process has stopped, or a machine or the network/,
    flags: ({ addresses, ssh }) => [
      "-launcher",
      "ssh",
      "-launcher-exec",
      ssh,
      "-hosts",
      addresses.join(","),
      "-ppn",
      "1",
    ],
    env: ({ link }) => ({ UCX_TLS: "tcp,self", UCX_NET_DEVICES: link, MPIR_CVAR_NOLOCAL: "1" }),
  },
  // Its mpirun notices by itself that a host is gone, 3 s after the last word of that host here and 8 minutes by default. It must do so
  // before codistill does: it does not end else, as it waits for that host to have ended its processes.
  "Open MPI": {
    silentSeconds: 60,
    sentence: /has lost communication with a remote daemon/,
    flags: ({ addresses, link, ssh }) => [
      ...["-H", addresses.map((address) => `${address}:1`).join(","), "--mca", "plm_rsh_agent", ssh],
      ...["--mca", "pml", "ob1", "--mca", "btl", "tcp,self"],
      ...["--mca", "btl_tcp_if_include", link, "--mca", "oob_tcp_if_include", link],
      ...["time", "intvl", "probes"].flatMap((word) => [
        "--mca",
        `oob_tcp_keepalive_${word}`,
        word === "probes" ? "2" : "1",
      ]),
    ],
    env: () => ({}),
  },
};

for (const launcher of mpiLaunchers) {
  const { silentSeconds, sentence, flags, env } = across[launcher.name] ?? assert.fail(launcher.name);
  // The one whose processes are given up by codistill, and the other one with `--full`.
  if (launcher.name !== "MPICH" && !isFull) continue;
  test(`${launcher.name}: a group whose network is cut ends in time with a sentence, another group steps on, and with the network the same command goes on`, {
    skip: cannotJoinHosts,
  }, async (t) => {
    const hosts = await twoHosts(t, place.path("ssh"));
    const config = await place.config("cut.json", {
      ...{ numGroups: 2, numSteps: 1_000_000, globalBatchSize: 48, validationInterval: 20, checkpointInterval: 20 },
      algorithm: { burnInSteps: 20, publishInterval: 10, exchangeInterval: 10 },
    });
    const name = launcher.name.replace(" ", "-");
    const folderOf = (group: number) => runFolder(place.path(`${name}-${group}`));
    const argsOf = (group: number) => [
      ...[process.execPath, mainFile, "train", config, "--store", place.path(`${name}-store`)],
      ...["--group", String(group), "--folder", folderOf(group).path],
    ];
    const [program = "", ...onFirst] = hosts.onFirst;
    const start = () =>
      place.start(
        program,
        [...onFirst, launcher.command, ...launcher.flags, ...flags(hosts), "-n", "2", ...argsOf(0)],
        { env: { ...launcher.env, ...env(hosts), CODISTILL_SILENT_SECONDS: String(silentSeconds) } },
      );
    const cut = start();
    const [whole = "", ...rest] = argsOf(1);
    const other = place.start(whole, rest);
    await nextEvent(cut, folderOf(0), 0, "checkpoint");
    await nextEvent(other, folderOf(1), 1, "checkpoint");
    hosts.cut();
    const { code, shown } = await cut.ended;
    assert.ok(code !== 0 && code !== 2, shown);
    assert.match(shown, sentence);
    // All of this time the other group has taken steps, and goes on with them.
    const steps = eventsOf(folderOf(1), 1);
    await nextEvent(other, folderOf(1), 1, "step", steps.length);

    await hosts.join();
    const before = eventsOf(folderOf(0), 0).length;
    const again = start();
    await nextEvent(again, folderOf(0), 0, "group-start", before);
    process.kill(again.pid, "SIGUSR1");
    const saved = await again.ended;
    // MPICH's MPI_Finalize between hosts now and then waits for ever, and is given up; what was saved is whole.
    if (!/MPI has not ended within/.test(saved.shown)) assert.equal(saved.code, 0, saved.shown);
    assert.equal(ofKind(eventsOf(folderOf(0), 0), "group-end").at(-1)?.reason, "stopped", saved.shown);
    const starts = ofKind(eventsOf(folderOf(0), 0), "group-start");
    assert.ok((starts[1]?.step ?? 0) >= 20, "it goes on from its checkpoint");
    process.kill(other.pid, "SIGTERM");
    const { code: otherCode, shown: otherShown } = await other.ended;
    assert.equal(otherCode, 0, otherShown);
    assert.equal(ofKind(eventsOf(folderOf(1), 1), "group-start").length, 1, otherShown);
  });
}
