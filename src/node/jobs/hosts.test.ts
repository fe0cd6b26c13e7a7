import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { hostsOf } from "./hosts.js";
import { familyOfText } from "./mpirun-family.js";

const root = mkdtempSync(join(tmpdir(), "codistill-hosts-"));
after(() => rmSync(root, { recursive: true }));

test("hosts are named in a list, or by the first words of a file's lines", () => {
  const file = join(root, "hosts");
  writeFileSync(file, "# ours\nnode1 slots=4\n\n me@10.0.0.7 # the fast one\nnode-2.lan\n");
  assert.deepEqual(hostsOf(file), ["node1", "me@10.0.0.7", "node-2.lan"]);
  assert.deepEqual(hostsOf("a, b,c"), ["a", "b", "c"]);
});

test("what is no name of a host is refused, and would be an option or a command elsewhere", () => {
  for (const bad of ["-oProxyCommand=x", "a;b", "a b", "$(x)", "me@-x", "a:2", "é"]) {
    assert.throws(() => hostsOf(`ok,${bad}`), /a host is a name/, bad);
  }
  assert.throws(() => hostsOf(" , "), /there is none/);
  const empty = join(root, "empty");
  writeFileSync(empty, "# none\n");
  assert.throws(() => hostsOf(empty), new RegExp(`there is none in ${empty}`));
});

test("launchers of both families are known by their version, of others none", () => {
  assert.equal(
    familyOfText("mpirun.openmpi (OpenRTE) 4.1.4\n\nReport bugs to http://www.open-mpi.org/community/help/"),
    "openmpi",
  );
  assert.equal(familyOfText("mpirun (Open MPI) 5.0.3"), "openmpi");
  assert.equal(familyOfText("HYDRA build details:\n    Version: 4.0.2"), "mpich");
  assert.equal(familyOfText("Intel(R) MPI Library for Linux* OS, Version 2021.10"), "mpich");
  assert.equal(familyOfText("something else 1.0"), null);
});
