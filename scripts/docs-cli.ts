/** Writes docs/cli.md. Run by `npm run docs:cli`. */
import { writeFileSync } from "node:fs";
import { commandLine } from "../src/node/cli/program.js";
import { commandPage } from "./command-page.js";

const file = "docs/cli.md";
writeFileSync(file, commandPage(commandLine()));
process.stdout.write(`wrote ${file}\n`);
