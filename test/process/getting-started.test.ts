/** The commands of docs/getting-started.md, run one after the other as they stand there, with fewer steps of training. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, symlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { delimiter } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { mainFile, workplace } from "./fixture.js";
import { eventually } from "./processes.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const page = readFileSync(new URL("docs/getting-started.md", `file://${root}`), "utf8");
const place = workplace();

/** A fenced block, with the comment right above it. */
interface Block {
  readonly language: string;
  readonly comment: string;
  readonly text: string;
}

const blocks: readonly Block[] = [...page.matchAll(/(?:<!-- (.*) -->\n)?```(\w*)\n([\s\S]*?)```/g)].map(
  ([, comment = "", language = "", text = ""]) => ({ language, comment, text }),
);

const CTRL_C = "# and then Ctrl-C";
/** As many steps as show that each command works; the run that is interrupted must still be training then. */
const withFewerSteps = (command: string): string =>
  command.replace(/codistill train (?!--resume)[^>&#\n]*/g, (train) => {
    const numSteps = command.includes(CTRL_C) ? 2000 : 300;
    return `${train.trimEnd()} --set numSteps=${numSteps} `;
  });

/** Text without what differs from one machine and one day to the next: numbers, and where lines are broken. */
const plain = (text: string): string => text.replace(/\d[\d,.:_T-]*(?: [kMG]?B\b)?/g, "#").replace(/\s+/g, " ");

/** What a page shows of an output must be in it: all between empty lines and those that mark what is left out. */
function assertShown(shown: Block, output: string): void {
  const stable = shown.text.split("\n").filter((line) => !/ETA \d/.test(line));
  for (const part of stable.join("\n").split(/^(?:\.\.\.)?$/m))
    assert.ok(plain(output).includes(plain(part).trim()), `the page shows\n${part}\nand the command said\n${output}`);
}

test("each command of the page runs, and says what the page shows", async () => {
  await mkdir(place.path("bin"));
  // "npx codistill" means this build.
  chmodSync(await place.write("bin/npx", `#!/bin/sh\nshift\nexec "${process.execPath}" "${mainFile}" "$@"\n`), 0o755);
  symlinkSync(`${root}node_modules`, place.path("node_modules"));
  const env = { PATH: [place.path("bin"), process.env.PATH].join(delimiter) };

  let variables = "";
  let output = "";
  let numRun = 0;
  for (const { language, comment, text } of blocks) {
    const [, file] = /^file: (.*)$/.exec(comment) ?? [];
    if (file !== undefined) await place.write(file, text);
    if (language === "") assertShown({ language, comment, text }, output);
    if (language !== "sh" || comment.startsWith("not run")) continue;
    const isInterrupted = text.includes(CTRL_C);
    // The process of the command itself is what Ctrl-C reaches.
    const command = withFewerSteps(text).replace(/^(?=.*# and then Ctrl-C)/m, "exec ");
    const running = place.start("bash", ["-c", `set -e\n${variables}${command}`], { env });
    if (isInterrupted) {
      await eventually("a first step", () => /took its first step/.exec(running.output()), running.output);
      running.child.kill("SIGINT");
    }
    const { code, shown } = await running.ended;
    assert.equal(code, isInterrupted ? 130 : 0, `${command}\n${shown}`);
    output = shown;
    variables += (command.match(/^run=.*$/gm) ?? []).map((line) => `${line}\n`).join("");
    numRun++;
  }
  assert.ok(numRun >= 10, `the page has ${numRun} commands`);
});
