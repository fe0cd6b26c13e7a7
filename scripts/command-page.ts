/** The page of the command line, docs/cli.md, made from the commands as commander has them. */
import type { Argument, Command, Option } from "commander";
import { FAILED, REFUSED } from "../src/node/launch/exit-codes.js";

const introduction = `# The command line

<!-- Made by \`npm run docs:cli\` from the commands themselves; do not edit it. -->

\`npx codistill <command>\` in a project that has the package installed. \`codistill <command> --help\` says the same as this page,
\`codistill --version\` the version.

Quote a glob, so that codistill expands it and not the shell. What files may be is in [data.md](data.md) for tables and in
[text.md](text.md) for text. A \`<column or SQL>\` is the name of a column, or a DuckDB SQL expression over a row.
[getting-started.md](getting-started.md) shows most commands at work.`;

const ending = `## Exit codes

| code | means |
| --- | --- |
| 0 | the command did what was asked; of \`train\` also when \`--stop-after\` is over, or SIGTERM, SIGUSR1 or SIGUSR2 came, and all groups have saved |
| ${FAILED} | training failed, a group did not finish, or did not save when the run was stopped, a replay came to other bits, output could not be written, or codistill has a defect (\`CODISTILL_STACK=1\` shows where) |
| ${REFUSED} | the input was refused: the command line, the configuration, the data, a model, a run of another kind. The same command would be refused again |
| 129, 130 | stopped by SIGHUP or SIGINT (Ctrl-C), after saving |
| 143 | \`train\` ended at once by a second SIGTERM; another command stopped by SIGTERM |
| 138, 140 | on Linux: another command than \`train\` stopped by SIGUSR1 or SIGUSR2 |

## Environment variables

| variable | what it sets |
| --- | --- |
| \`CODISTILL_CACHE\` | the folder of prepared data, where \`--cache\` is not given; \`.codistill/cache\` by default |
| \`CODISTILL_MEMORY\` | the memory that data may take, as \`500MB\` or \`2GB\`, at least 256 MB; half of what is free by default ([data.md](data.md#memory)) |
| \`CODISTILL_STACK\` | \`1\` prints the stack trace of a defect of codistill |
| \`CODISTILL_BINDING\` | \`native\` or \`official\`: how ONNX Runtime is called; by default its C API where that works ([devices.md](devices.md)) |
| \`CODISTILL_START_SECONDS\` | how long the process of a group may take to its first event, and the processes of a launcher to begin together; 600 by default ([faults.md](faults.md#deadlines)) |
| \`CODISTILL_SILENT_SECONDS\` | how long a group that trains, or a worker of it, may give no sign of life; 600 by default |
| \`CODISTILL_STOP_SECONDS\` | how long it may take to answer that it stops; 30 by default |
| \`CODISTILL_SAVE_SECONDS\` | how long it may take to save after that; 600 by default |
| \`AWS_PROFILE\`, \`AWS_REGION\`, \`AWS_ENDPOINT_URL\`, ... | credentials, region and endpoint of buckets, as for all AWS tools ([data.md](data.md#files)) |
| \`ONNXRUNTIME_NODE_INSTALL\` | \`skip\` at installation: nothing is downloaded ([README](../README.md#install)) |
| \`ORT_DISABLE_TELEMETRY\` | codistill sets it to \`1\` for itself: ONNX Runtime reports nothing |
`;

/** The whole page, as Markdown. */
export function commandPage(program: Command): string {
  const { commands } = program;
  const list = commands.map(
    (command) => `| [\`${command.name()}\`](#${command.name()}) | ${cell(command.description())} |`,
  );
  const contents = ["| command | what it does |", "| --- | --- |", ...list].join("\n");
  return [introduction, contents, ...commands.map(commandSection), ending].join("\n\n");
}

function commandSection(command: Command): string {
  const { registeredArguments } = command;
  const options = command.createHelp().visibleOptions(command);
  const usage = ["codistill", command.name(), ...registeredArguments.map(argumentName), "[options]"].join(" ");
  const rows = [
    ...registeredArguments.map((argument) => row(argumentName(argument), argument.description, argument.defaultValue)),
    ...options
      .filter(({ long }) => long !== "--help")
      .map((option) => row(option.flags, optionText(option), option.defaultValue)),
  ];
  return [
    `## ${command.name()}`,
    `${sentence(command.description())}`,
    fenced(usage),
    ["| argument or option | what it is |", "| --- | --- |", ...rows].join("\n"),
    ...examples(command),
  ].join("\n\n");
}

function argumentName(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function optionText({ description, mandatory }: Option): string {
  return mandatory ? `${description} (required)` : description;
}

function row(name: string, what: string, given: unknown): string {
  const isGiven = given !== undefined && given !== "" && !(Array.isArray(given) && given.length === 0);
  return `| \`${code(name)}\` | ${cell(what)}${isGiven ? ` (default \`${code(String(given))}\`)` : ""} |`;
}

/** The examples that stand below a command's own help. */
function examples(command: Command): string[] {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  const [, after] = help.split("\nExamples:\n");
  if (after === undefined) return [];
  return [fenced(after.trim().replace(/^ +/gm, ""))];
}

const fenced = (text: string) => `\`\`\`sh\n${text}\n\`\`\``;
const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
/** Text within a cell of a table: no bar ends it, and no angle bracket begins HTML. */
const cell = (text: string) => code(text).replaceAll("<", "\\<");
/** The same within backticks, where angle brackets are themselves. */
const code = (text: string) => text.replaceAll("|", "\\|");
