/** Runs the compiled tests: all of them, or those whose path holds one of the arguments. */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const wanted = process.argv.slice(2);
const files = readdirSync("dist", { recursive: true, encoding: "utf8" })
  .map((file) => join("dist", file))
  .filter((file) => file.endsWith(".test.js") && (wanted.length === 0 || wanted.some((part) => file.includes(part))))
  .sort();
if (files.length === 0) throw new Error(`no test file matches ${wanted.join(" ")}`);
const child = spawn(process.execPath, ["--test", "--test-reporter=spec", ...files], { stdio: "inherit" });
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
