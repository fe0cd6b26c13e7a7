/** Runs the compiled tests: all of them, or those whose path holds one of the arguments, less those with one after "!". */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const parts = process.argv.slice(2);
const wanted = parts.filter((part) => !part.startsWith("!"));
const unwanted = parts.filter((part) => part.startsWith("!")).map((part) => part.slice(1));
const files = readdirSync("dist", { recursive: true, encoding: "utf8" })
  .map((file) => join("dist", file))
  .filter((file) => file.endsWith(".test.js"))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .filter((file) => !unwanted.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) throw new Error(`no test file matches ${parts.join(" ")}`);
const child = spawn(process.execPath, ["--test", "--test-reporter=spec", ...files], { stdio: "inherit" });
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
