import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DamagedCacheError, DataError } from "../../errors.js";
import { openCheckedFolder, writeDigests } from "./checked-folder.js";

const root = mkdtempSync(join(tmpdir(), "codistill-checked-"));
after(() => rmSync(root, { recursive: true }));
let numFolders = 0;

const BLOCK = 65_536;
const sizes = { empty: 0, one: 1, block: BLOCK, "block-and-one": BLOCK + 1, large: 300_000 } as const;
const contentOf = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255);

async function newFolder(): Promise<string> {
  const folder = join(root, String(numFolders++));
  mkdirSync(folder);
  for (const [name, size] of Object.entries(sizes)) writeFileSync(join(folder, name), contentOf(size));
  await writeDigests(folder);
  return folder;
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

const damage = (what: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DamagedCacheError, String(error));
  assert.match(error.message, what);
  assert.match(error.message, /Start again: the cache is made again from the source\.$/);
  return true;
};

test("what is read is what was written, wherever it begins and ends", async () => {
  const folder = await newFolder();
  const { file, whole, checkAll } = await openCheckedFolder(folder);
  for (const [name, size] of Object.entries(sizes)) assert.deepEqual(await whole(name, size), contentOf(size));
  const fresh = (await openCheckedFolder(folder)).file("large", sizes.large);
  const content = contentOf(sizes.large);
  // Each place twice: of a block that was not checked yet, and of one that was.
  for (const [start, count] of [
    [0, 0],
    [5, 1],
    [BLOCK - 1, 2],
    [BLOCK, BLOCK],
    [3 * BLOCK - 7, 100_000],
    [sizes.large - 1, 1],
  ] as const) {
    for (const _ of [1, 2]) {
      const read = fresh.reading((bytes) => bytes(start, count));
      assert.deepEqual(read, content.slice(start, start + count), `${start}, ${count}`);
      assert.equal(read.buffer.byteLength, count, "nothing else shares its memory");
    }
  }
  await checkAll();
  assert.throws(() => file("large", 5), /large should have 5 bytes and has 300000/);
  assert.throws(() => file("other"), damage(/other is missing/));
});

test("a bit that flipped is found when its block is read, in every block, and by a check of all", async () => {
  for (const at of [0, BLOCK - 1, BLOCK, 4 * BLOCK + 9, sizes.large - 1]) {
    const folder = await newFolder();
    flip(join(folder, "large"), at);
    const { file, whole, checkAll } = await openCheckedFolder(folder);
    const block = BLOCK * Math.floor(at / BLOCK);
    const message = damage(new RegExp(`the block of large at byte ${block} has another SHA-256`));
    assert.throws(() => file("large").reading((bytes) => bytes(at, 1)), message);
    await assert.rejects(whole("large"), message);
    await assert.rejects(checkAll(), message);
    const elsewhere = at < BLOCK ? 2 * BLOCK : 0;
    file("large").reading((bytes) => bytes(elsewhere, 10));
  }
});

test("digests that are damaged, files that are gone or cut, and folders without digests are damage too", async () => {
  const damages: Readonly<Record<string, (folder: string) => void>> = {
    "digests.json is damaged: its SHA-256": (folder) => flip(join(folder, "digests.json"), 200),
    "digests.json is missing": (folder) => rmSync(join(folder, "digests.json")),
    "digests.json is not one of this version": (folder) => writeFileSync(join(folder, "digests.json"), "{}"),
    "large.sha256 has changed": (folder) => flip(join(folder, "large.sha256"), 40),
    "one.sha256 is missing": (folder) => rmSync(join(folder, "one.sha256")),
    "large is missing": (folder) => renameSync(join(folder, "large"), join(folder, "larger")),
    "large should have 300000 bytes and has 100": (folder) => truncateSync(join(folder, "large"), 100),
  };
  for (const [message, make] of Object.entries(damages)) {
    const folder = await newFolder();
    make(folder);
    await assert.rejects(openCheckedFolder(folder), damage(new RegExp(message)));
  }
  await assert.rejects(openCheckedFolder(join(root, "nowhere")), (error) => {
    assert.ok(error instanceof DataError && !(error instanceof DamagedCacheError));
    return /there is no training cache at/.test(error.message);
  });
});
