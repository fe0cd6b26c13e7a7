/** All names that the package gives, against a list that is read before it changes: nothing becomes public unnoticed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repository } from "./consumer.js";

/** The doors of `exports` with types, by their names. */
const { exports } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
  exports: Record<string, { types?: string }>;
};
const listed = readFileSync(join(repository, "test", "package", "names.txt"), "utf8")
  .trim()
  .split("\n");

/** What a file of declarations exports, types too. */
function namesIn(path: string): string[] {
  const text = readFileSync(path, "utf8");
  const declared = [...text.matchAll(/^export (?:declare )?(?:async )?(function|const|class|interface|type) (\w+)/gm)];
  const own = declared.map(([, kind = "", name = ""]) => (/interface|type/.test(kind) ? `type ${name}` : name));
  const given = [...text.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, type = "", names = ""]) =>
    names.split(",").flatMap((name) => (name.trim() === "" ? [] : [`${type}${name.trim()}`])),
  );
  const spaces = [...text.matchAll(/^export \* as (\w+)/gm)].map(([, name = ""]) => name);
  const others = [...text.matchAll(/^export \* from "([^"]+)\.js"/gm)].flatMap(([, file = ""]) =>
    namesIn(join(path, "..", `${file}.d.ts`)),
  );
  return [...own, ...given, ...spaces, ...others];
}

test("the public names are those of names.txt", () => {
  const names = Object.entries(exports).flatMap(([door, { types }]) =>
    types === undefined ? [] : namesIn(join(repository, types)).map((name) => `${door} ${name}`),
  );
  const added = names.filter((name) => !listed.includes(name));
  const gone = listed.filter((name) => !names.includes(name));
  assert.deepEqual(
    { added, gone },
    { added: [], gone: [] },
    "when it is meant, add or remove the lines in test/package/names.txt, and say so in CHANGELOG.md",
  );
});

test("no name is listed twice, and each line is in its place", () => {
  assert.deepEqual(listed, [...new Set(listed)].sort());
});
