/** What a language model has to be better than: `npm run baselines -- recipes/gutenberg.config.ts`. */
import { Command } from "commander";
import { messageOf } from "../src/errors.js";
import { bytes } from "../src/report/format.js";
import { textBaselines } from "./baselines.js";
import { mdTable } from "./report.js";
import { say } from "./runner.js";

new Command("npm run baselines --")
  .description("Bits per byte of a configuration's test text by n-grams of its training text, and by file compressors.")
  .argument("<config>", "a configuration of text whose test has a source of its own")
  .showHelpAfterError("(npm run baselines -- --help tells more)")
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function main(path: string): Promise<void> {
  const { trainBytes, testBytes, testDocuments, baselines } = await textBaselines(path);
  const rows = baselines.map(({ name, bitsPerByte }) => [name, bitsPerByte.toFixed(3)]);
  say(`training ${bytes(trainBytes)}, test ${bytes(testBytes)} in ${testDocuments} documents\n`);
  say(mdTable(["baseline", "bits per byte of the test"], rows).join("\n"));
}
