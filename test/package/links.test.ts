/** Links of the papers: each leads to a file, and to a heading that is there; the README's go with the package. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const papers = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .map((name) => `docs/${name.replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith(".md")),
];

interface Link {
  readonly paper: string;
  readonly target: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly anchor: string | undefined;
}

const withoutBlocks = (text: string): string => text.replace(/```[\s\S]*?```/g, "");

/** The relative links of a paper, and its images. */
function linksOf(paper: string): Link[] {
  const text = withoutBlocks(readFileSync(join(root, paper), "utf8"));
  return [...text.matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? paper : relative(root, join(root, dirname(paper), path)).replaceAll("\\", "/");
      return { paper, target, file, anchor };
    });
}

/** The anchors of a paper's headings, as GitHub makes them. */
function anchorsOf(paper: string): Set<string> {
  const text = withoutBlocks(readFileSync(join(root, paper), "utf8"));
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.matchAll(/^#{1,6} +(.*)$/gm)) {
    const words = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-");
    let anchor = words;
    for (let number = 1; anchors.has(anchor); number++) anchor = `${words}-${number}`;
    anchors.add(anchor);
  }
  return anchors;
}

const links = papers.flatMap(linksOf);

test("each relative link leads to a file that is there", () => {
  assert.ok(links.length > 80, `${links.length} links`);
  const broken = links.filter(({ file }) => file.startsWith("..") || !existsSync(join(root, file)));
  assert.deepEqual(
    broken.map(({ paper, target }) => `${paper}: ${target}`),
    [],
  );
});

test("each anchor is that of a heading", () => {
  const broken = links.filter(
    ({ file, anchor }) => anchor !== undefined && file.endsWith(".md") && !anchorsOf(file).has(anchor),
  );
  assert.deepEqual(
    broken.map(({ paper, target }) => `${paper}: ${target}`),
    [],
  );
});

/** A name or pattern of `files`: of a folder, all that is in it. */
const patternOf = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[.+^$(){}|]/g, "\\$&").replaceAll("*", "[^/]*")}(/|$)`);

test("what papers of the package link to is in the package", () => {
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: readonly string[] };
  // npm adds these by itself.
  const wanted = [...files, "README.md", "LICENSE", "package.json"];
  const isPacked = (file: string) => wanted.some((pattern) => patternOf(pattern).test(file));
  const missing = links.filter(({ paper, file }) => isPacked(paper) && !isPacked(file));
  assert.deepEqual(
    missing.map(({ paper, target }) => `${paper}: ${target}`),
    [],
  );
});

test("the lines of pages that people read from end to end have at most 140 characters, but for code and tables", () => {
  for (const paper of ["README.md", "docs/getting-started.md", "docs/text.md", "ARCHITECTURE.md"]) {
    const lines = withoutBlocks(readFileSync(join(root, paper), "utf8")).split("\n");
    assert.deepEqual(
      lines.filter((line) => line.length > 140 && !line.startsWith("|")),
      [],
      paper,
    );
  }
});
