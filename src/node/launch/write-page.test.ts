import assert from "node:assert/strict";
import { test } from "node:test";
import { pathShortener } from "./write-page.js";

test("paths in the working folder are shown from there, those of the user's folder from ~, and others as they are", () => {
  const shorten = pathShortener(["/home/ada/work (1)", ""], ["/home/ada", "~/"]);
  assert.equal(shorten('source: ["/home/ada/work (1)/rides.csv"]'), 'source: ["rides.csv"]');
  assert.equal(shorten("/home/ada/other/rides.csv"), "~/other/rides.csv");
  for (const other of ["/mnt/home/ada/rides.csv", "/home/adam/rides.csv", "/home/ada", "rides/home/ada/x.csv"])
    assert.equal(shorten(other), other);
  assert.equal(shorten("file:///home/ada/x.csv"), "file:///home/ada/x.csv");
});

test("the root of the machine as a working folder shortens nothing", () => {
  assert.equal(pathShortener(["/", ""])("/data/rides.csv"), "/data/rides.csv");
});
