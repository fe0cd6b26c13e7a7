import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { commandLine } from "../src/node/cli/program.js";
import { stoppedBy } from "../src/node/launch/exit-codes.js";
import { commandPage } from "./command-page.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = commandPage(commandLine());

test("docs/cli.md is what the commands make: npm run docs:cli", () => {
  assert.equal(readFileSync(join(root, "docs", "cli.md"), "utf8"), page);
});

test("every command has its section, with each of its options and arguments", () => {
  for (const command of commandLine().commands) {
    const section = page.split(/^## /m).find((text) => text.startsWith(`${command.name()}\n`)) ?? "";
    for (const { long } of command.options) assert.ok(section.includes(`${long}`), `${command.name()} ${long}`);
    for (const argument of command.registeredArguments) assert.ok(section.includes(argument.name()), command.name());
  }
});

test("the page names each environment variable of ours that the sources read, and no other", () => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => readFileSync(join(root, "src", name), "utf8"));
  const variables = (text: string) => [...new Set(text.match(/CODISTILL_[A-Z_]+/g))].sort();
  assert.deepEqual(variables(page), variables(sources.join("\n")));
});

test("the page has the exit codes of signals", () => {
  const codes = (["SIGHUP", "SIGINT"] as const).map(stoppedBy).join(", ");
  assert.ok(page.includes(`| ${codes} | stopped by SIGHUP or SIGINT (Ctrl-C)`), codes);
});
