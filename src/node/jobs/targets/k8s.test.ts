import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { NASTY, nastyPlan, programsIn } from "../../../../test/fixtures/launch-plan.js";
import { eventually, start } from "../../../../test/process/processes.js";
import { groupCommand } from "../plan.js";
import { k8s } from "./k8s.js";

const root = mkdtempSync(join(tmpdir(), "codistill-k8s-"));
after(() => rmSync(root, { recursive: true }));

/** A scalar of our YAML: a plain word, or one in double quotes, whose escapes are those of JSON and one for large code points. */
function scalarOf(text: string): string {
  if (!text.startsWith('"')) return text;
  return JSON.parse(
    text.replace(/\\U([0-9a-f]{8})/g, (_, hex) =>
      JSON.stringify(String.fromCodePoint(Number(`0x${hex}`))).slice(1, -1),
    ),
  );
}

/** The command of a container as Kubernetes runs it: the items below `command:`, with `$$` read as `$`. */
function commandIn(document: string): string[] {
  const lines = document.split("\n");
  const at = lines.findIndex((line) => line.trim() === "command:");
  const indent = (lines[at] ?? "").search(/\S/);
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => line.search(/\S/) <= indent);
  return rest.slice(0, end).map((line) => {
    const text = scalarOf(line.trim().replace(/^- /, ""));
    assert.doesNotMatch(text.replaceAll("$$", ""), /\$/, "a value of Kubernetes would be put here");
    return text.replaceAll("$$", "$");
  });
}

test("there is a claim and a Job for each group, whose container gets the words of the group's command", () => {
  const plan = nastyPlan(root, { program: ["codistill"] });
  const [file] = k8s(plan).files;
  // Every character of a line can be seen, so that no name begins a line of its own.
  assert.match(file?.text ?? "", /^[ -~\n]*$/);
  const documents = (file?.text ?? "").split("---\n").slice(1);
  assert.deepEqual(
    documents.map((text) => [/^kind: (.*)$/m.exec(text)?.[1], /^ {2}name: (.*)$/m.exec(text)?.[1]]),
    [
      ["PersistentVolumeClaim", "rides-shared"],
      ["Job", "rides-0"],
      ["Job", "rides-1"],
    ],
  );
  for (const [group, text] of documents.slice(1).entries()) {
    const command = commandIn(text);
    assert.deepEqual(command.slice(0, 2), ["sh", "-c"]);
    assert.deepEqual(command.slice(4), groupCommand(plan, group, { threads: 2, workers: 2 }));
    assert.match(text, /^ {2}backoffLimit: 2$/m);
    assert.match(text, /claimName: rides-shared$/m);
    assert.equal(scalarOf(/mountPath: (.*)/.exec(text)?.[1] ?? ""), plan.mount);
  }
  const claimed = k8s(nastyPlan(root, { claim: "no" })).files[0]?.text ?? "";
  assert.match(claimed, /claimName: "no"$/m);
  assert.doesNotMatch(claimed, /PersistentVolumeClaim/);
});

test("a container ends with the code of its command, and as one that was stopped where SIGTERM made that save", async () => {
  programsIn(join(root, "bin"), {
    three: "exit 3",
    saves: "trap 'exit 0' TERM; echo ready; while :; do sleep 0.02; done",
  });
  const run = (program: string) => {
    const [sh = "", ...args] = commandIn(
      k8s(nastyPlan(root, { program: [join(root, "bin", program)] })).files[0]?.text ?? "",
    );
    return start(sh, args, { cwd: root });
  };
  const failed = await run("three").ended;
  assert.equal(failed.code, 3, failed.shown);
  const told = run("saves");
  await eventually("the command", () => told.output().includes("ready") || null, told.output);
  process.kill(told.pid, "SIGTERM");
  const { code, shown } = await told.ended;
  assert.equal(code, 143, shown);
});

test("what the volume does not have, and names that Kubernetes does not allow, are refused", () => {
  const elsewhere = nastyPlan(root, { mount: join(root, "other") });
  assert.throws(
    () => k8s(elsewhere),
    (error: Error) => error.message.includes("--mount") && error.message.includes(NASTY),
  );
  assert.throws(() => k8s(nastyPlan(root, { store: "/elsewhere" })), /--store is \/elsewhere/);
  assert.throws(() => k8s(nastyPlan(root, { name: "a".repeat(62) })), /63 characters/);
  assert.throws(() => k8s(nastyPlan(root, { name: "a-" })), /end in a letter/);
});
