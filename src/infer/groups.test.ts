import assert from "node:assert/strict";
import { test } from "node:test";
import type { ColumnFigures } from "./column.js";
import { groupAdvice } from "./groups.js";

const column = (name: string, numDistinct: number, numRows = 1000): ColumnFigures => ({
  name,
  type: "BIGINT",
  kind: "number",
  numRows,
  numMissing: 0,
  numDistinct,
  isExact: true,
  example: "1",
  numbers: null,
  times: null,
  text: null,
  frequencies: null,
});

test("an owner of several rows is a reason to group by it, and the finest of several is named", () => {
  for (const name of ["customer_id", "customerId", "Patient", "user", "user id", "account-no", "loan_id"])
    assert.match(groupAdvice([column(name, 200)])[0]?.text ?? "", /has about 5 rows a value: .*--group-by /, name);
  const [hint, ...others] = groupAdvice([column("user", 40), column("session_id", 300), column("km", 50)]);
  assert.match(hint?.text ?? "", /^session_id has about 3 rows a value: .* --group-by session_id$/);
  assert.deepEqual(others, []);
  assert.match(groupAdvice([column("customer id", 100)])[0]?.text ?? "", /--group-by "customer id"$/);
});

test("kinds, keys of single rows and other columns are none", () => {
  for (const [name, numDistinct] of [
    ["customer_id", 999],
    ["customer_id", 12],
    ["customer_age", 60],
    ["paid", 60],
    ["humid", 60],
    ["zone", 60],
  ] as const)
    assert.deepEqual(groupAdvice([column(name, numDistinct)]), [], name);
});
