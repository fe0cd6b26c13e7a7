/** The bound of docs/checkpoint.md: reading takes at most 5 times the size of the file and 256 MiB. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cases, files } from "./memory-child.js";

const child = fileURLToPath(new URL("memory-child.js", import.meta.url));
const MIB = 2 ** 20;
/** Of which the file itself is one, and it is there before. */
const TIMES = 5;
const SPARE = 256 * MIB;

for (const name of cases) {
  test(`${name}: read or refused within the bound`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "codistill-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "file");
    writeFileSync(path, files[name]?.() ?? new Uint8Array());
    const text = execFileSync(process.execPath, ["--expose-gc", "--max-old-space-size=320", child, "read", name, path]);
    const { outcome, fileBytes, grownBytes } = JSON.parse(text.toString()) as Record<string, number>;
    t.diagnostic(
      `${outcome}; file ${Math.ceil(Number(fileBytes) / MIB)} MiB, grown by ${Math.ceil(Number(grownBytes) / MIB)} MiB`,
    );
    const bound = (TIMES - 1) * Number(fileBytes) + SPARE;
    assert.ok(Number(grownBytes) <= bound, `grew by ${grownBytes} bytes, the bound is ${bound}`);
  });
}
