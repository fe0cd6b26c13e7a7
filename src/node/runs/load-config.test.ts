import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { tinyInput } from "../../../test/fixtures/tiny-run.js";
import { ConfigError } from "../../errors.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import { loadConfig } from "./load-config.js";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "codistill-config-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

/** The tiny configuration as a literal of JSON, which JavaScript and TypeScript read too. */
function literal(source: string | readonly string[] = "tiny.csv"): string {
  const input = tinyInput();
  return JSON.stringify({ ...input, data: { ...input.data, source } }, null, 2);
}

async function refused(loading: Promise<unknown>, ...patterns: readonly RegExp[]): Promise<void> {
  await assert.rejects(loading, (error) => {
    assert.ok(error instanceof ConfigError, String(error));
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

describe("loadConfig reads", () => {
  test("JSON by any editor: with a byte order mark, in UTF-16 by its mark, in capitals", async () => {
    const expected = await loadConfig(await file("plain.json", literal()));
    const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");
    const written: Readonly<Record<string, string | Uint8Array>> = {
      "mark.json": `\uFEFF${literal()}`,
      "CAPITALS.JSON": literal(),
      "little.Json": utf16(literal()),
      "big.json": utf16(literal()).swap16(),
    };
    for (const [name, text] of Object.entries(written)) {
      const path = join(folder, name);
      await writeFile(path, text);
      assert.deepEqual(await loadConfig(path), expected, name);
    }
  });

  const kinds: Readonly<Record<string, string>> = {
    "run.ts": `interface Sizes { readonly n: number }\nconst sizes: Sizes = { n: 60 };\nexport default { ...${literal()}, numSteps: sizes.n as number };`,
    "run.js": `export default ${literal()};`,
    "run.mjs": `export default ${literal()};`,
    "run.cjs": `module.exports = ${literal()};`,
    "run.json": literal(),
  };
  for (const [name, text] of Object.entries(kinds)) {
    test(`${name}, with every default filled in`, async () => {
      const path = await file(name, text);
      const config = await loadConfig(path);
      assert.equal(config.numSteps, 60);
      assert.equal(config.algorithm.kind === "codistill" && config.algorithm.topology, "all");
      assert.deepEqual(configOfKind(config, "table", "this").data.source, [join(folder, "tiny.csv")]);
      assert.deepEqual(await loadConfig(relative(process.cwd(), path)), config);
    });
  }

  test("what a configuration imports", async () => {
    await file("parts/base.ts", `export const base: Record<string, unknown> = ${literal()};`);
    const path = await file(
      "importing.ts",
      'import { base } from "./parts/base.js";\nexport default { ...base, seed: 5 };',
    );
    assert.equal((await loadConfig(path)).seed, 5);
  });

  test("this package's own names where it is not installed", async () => {
    const config = JSON.stringify(tinyInput({ seed: 6 }));
    for (const [name, code] of [
      [
        "own.ts",
        `import { defineRun, type RunInput } from "codistill";\nexport default defineRun(${config} as RunInput);`,
      ],
      ["own.mjs", `import { defineRun } from "codistill";\nexport default defineRun(${config});`],
      ["own.cjs", `const { defineRun } = require("codistill");\nmodule.exports = defineRun(${config});`],
      ["own-common.js", `const { defineRun } = require("codistill");\nmodule.exports = defineRun(${config});`],
      [
        "own.js",
        `import { defineRun } from "codistill";\nimport { train } from "codistill/node";\nexport default typeof train === "function" && defineRun(${config});`,
      ],
    ] as const)
      assert.equal((await loadConfig(await file(name, code))).seed, 6, name);
  });

  test("a file again after it was changed", async () => {
    const path = await file("changing.ts", `export default { ...${literal()}, seed: 5 };`);
    assert.equal((await loadConfig(path)).seed, 5);
    await file("changing.ts", `export default { ...${literal()}, seed: 6 };`);
    assert.equal((await loadConfig(path)).seed, 6);
  });

  test("overrides over what the file says, before the checks", async () => {
    const path = await file(
      "overridden.ts",
      `export default ${literal().replace('"numSteps": 60', '"numSteps": -1')};`,
    );
    const config = await loadConfig(path, ["numSteps=7", "optimizer.learningRate=1e-4", "data.label=other"]);
    assert.equal(config.numSteps, 7);
    assert.equal(config.optimizer.learningRate, 1e-4);
    assert.equal(configOfKind(config, "table", "this").data.label, "other");
    await refused(loadConfig(path), /numSteps: must be > 0, got -1/);
  });

  test("its own result again, and to the same", async () => {
    const config = await loadConfig(await file("once.ts", `export default ${literal(["a.csv", "s3://b/c.parquet"])};`));
    const saved = await file("elsewhere/config.json", JSON.stringify(config));
    assert.deepEqual(await loadConfig(saved), config);
  });

  test("the recipe for flights", async () => {
    const recipe = fileURLToPath(new URL("../../../../recipes/flights.config.ts", import.meta.url));
    const { name, data, numGroups } = configOfKind(await loadConfig(recipe), "table", "this");
    assert.deepEqual([name, numGroups], ["flights", 2]);
    assert.match(String(data.source), /^\/.*vega-datasets\/data\/flights-3m\.parquet$/);
  });
});

describe("sources", () => {
  const absolute = join(tmpdir(), "with space.csv");
  const sources: readonly [source: string, becomes: (at: string) => string][] = [
    ["x.csv", (at) => join(at, "x.csv")],
    ["./deep/*.parquet", (at) => join(at, "deep/*.parquet")],
    ["../up/**/*.csv", (at) => join(dirname(at), "up/**/*.csv")],
    [absolute, () => absolute],
    [pathToFileURL(absolute).href, () => absolute],
    ["https://example.org/a.parquet", () => "https://example.org/a.parquet"],
    ["s3://bucket/a/*.parquet", () => "s3://bucket/a/*.parquet"],
    ["HF://datasets/a.csv", () => "HF://datasets/a.csv"],
  ];

  test("start at the configuration file; URLs of remote files stay as they are", async () => {
    const text = `export default ${literal(sources.map(([source]) => source))};`;
    const path = await file("a/b/run.js", text);
    const expected = sources.map(([, becomes]) => becomes(join(folder, "a/b")));
    assert.deepEqual(configOfKind(await loadConfig(path), "table", "this").data.source, expected);
  });

  test("that cannot be a file on this machine are refused", async () => {
    const path = await file("host.js", `export default ${literal("file://elsewhere/a.csv")};`);
    await refused(loadConfig(path), /absolute path of this machine/, /file:\/\/elsewhere\/a\.csv/);
  });
});

describe("loadConfig refuses", () => {
  const loads = async (name: string, text: string) => loadConfig(await file(name, text));

  test("a path where nothing is, and shows it as it was given", async () => {
    await refused(
      loadConfig("no/such.config.ts"),
      /^no configuration at no\/such\.config\.ts; give the path of a \.ts/,
    );
  });

  test("what does not parse, with file and line", async () => {
    await refused(loads("broken.ts", "export default {\n  name: ,\n};"), /broken\.ts does not load: .*broken\.ts:2/s);
    await refused(loads("broken.json", "{"), /broken\.json does not load: .*JSON/);
    await refused(loads("empty.json", ""), /empty\.json does not load: .*JSON/);
  });

  test("what throws, and keeps the cause", async () => {
    const path = await file("throwing.ts", 'throw new RangeError("no luck today");\nexport default {};');
    await assert.rejects(loadConfig(path), (error) => {
      assert.ok(error instanceof ConfigError && error.cause instanceof RangeError);
      assert.match(error.message, /throwing\.ts does not load: no luck today$/);
      return true;
    });
    await refused(loads("missing-import.ts", 'import x from "./nowhere.js";\nexport default x;'), /nowhere\.js/);
  });

  test("what has no default export, and says so", async () => {
    const config = `export const config = ${literal()};`;
    await refused(loads("named.ts", config), /named\.ts does not load: it has no default export/);
    await refused(loads("named.js", config), /named\.js does not load: it has no default export/);
    await refused(loads("named.mjs", config), /named\.mjs does not load: it has no default export/);
    await refused(loads("nothing.ts", ""), /nothing\.ts does not load: it has no default export/);
  });

  test("a file of gigabytes, by its size alone", async () => {
    const path = await file("huge.json", "");
    await truncate(path, 3 * 2 ** 30);
    await refused(
      loadConfig(path),
      /huge\.json does not load: .* must have at most 16777216 bytes .* it has 3221225472/,
    );
  });

  test("JSON that is cut off, empty, or is not JSON at all", async () => {
    for (const text of ["", "{", "\u0000", "numSteps: 5"]) {
      await refused(loads("wrong.json", text), /wrong\.json does not load: it must be JSON: /);
    }
  });

  test("what is not plain data", async () => {
    await refused(loads("function.ts", `export default () => (${literal()});`), /plain data/);
    await refused(loads("null.json", "null"), /configuration: must be an object, got null/);
    await refused(loadConfig(join(folder, "null.json"), ["seed=1"]), /--set seed/);
  });

  test("what breaks a rule", async () => {
    const text = `export default ${literal().replace('"numSteps"', '"numStep"')};`;
    await refused(loads("rule.ts", text), /numSteps: is missing/, /numStep: unknown name; did you mean "numSteps"\?/);
  });
});
