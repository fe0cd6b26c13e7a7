/** Models, as somebody might craft them to do more than to predict. Each attack is refused, and nothing was read or written. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CheckpointError, CodistillError, DataError } from "../../errors.js";
import { onnxNode } from "../../graph/onnx/builder.js";
import { encodeModel, type ModelProto } from "../../graph/onnx-proto.js";
import { type Database, openDuckdb } from "../sources/duckdb.js";
import { openLanguageModel } from "../text/language-model.js";
import { checkedSql } from "./checked-sql.js";
import { evaluate } from "./evaluate.js";
import { predict } from "./predict.js";
import { sqlReader } from "./sql-tree.js";

let folder = "";
let server: Server;
let numRequests = 0;
const path = (name: string) => join(folder, name);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "codistill-attacks-"));
  writeFileSync(path("rows.csv"), "size,late\n1,0\n2,1\n3,1\n");
  writeFileSync(path("secret.txt"), "secret");
  server = createServer((_, response) => {
    numRequests += 1;
    response.end("a\n1\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const dim = [{ dimParam: "batch" }];
const value = (name: string, elemType: number) => ({ name, type: { tensorType: { elemType, shape: { dim } } } });

/** A model that says of each row the number that an expression makes of it. */
function model(sql: string, label = "late", graph: Partial<ModelProto["graph"]> = {}): ModelProto {
  const inputs = [{ name: "x", type: "number", sql }];
  const metadata = {
    format: "codistill.model",
    version: "2",
    name: "m",
    label,
    inputs: JSON.stringify(inputs),
    reading: '{"columns":[]}',
  };
  return {
    irVersion: 9,
    producerName: "somebody",
    opsetImport: [{ domain: "", version: 20 }],
    metadataProps: Object.entries(metadata).map(([key, text]) => ({ key, value: text })),
    graph: {
      name: "g",
      node: [onnxNode("Cast", ["x"], ["probability"], { to: 1 })],
      initializer: [],
      input: [value("x", 11)],
      output: [value("probability", 1)],
      ...graph,
    },
  };
}

async function predicted(bytes: Uint8Array): Promise<number> {
  writeFileSync(path("model.onnx"), bytes);
  const options = { cacheFolder: path("cache"), out: path("out.csv") };
  return (await predict(path("model.onnx"), path("rows.csv"), options)).rows;
}

const isRefused = (type: typeof CodistillError, pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof type, String(error));
  assert.match(error.message, pattern);
  return true;
};

test("a model that only predicts is used", async () => {
  assert.equal(await predicted(encodeModel(model("size * 2 + length(replace('ab', 'a', 'b'))"))), 3);
});

describe("SQL of a model is refused, by the part that a model may not have:", () => {
  const attacks: Readonly<Record<string, RegExp>> = {
    "size) from source_shape; copy (select 'x' as x) to '$/written.csv'; select (size": /more, or something else/,
    "size) from read_text('$/secret.txt') where (true": /more, or something else/,
    "size, size": /the function row/,
    "length((select content from read_text('$/secret.txt')))": /a subquery/,
    "size in (select 1)": /a subquery/,
    "exists (select 1)": /a subquery/,
    "(select count(*) from read_csv('http://127.0.0.1:#/leak'))": /a subquery/,
    "length(getenv('HOME'))": /the function getenv/,
    "length(current_setting('secret_directory'))": /the function current_setting/,
    "system.main.abs(size)": /the function abs/,
    "other.abs(size)": /the function abs/,
    "getvariable('x')": /the function getvariable/,
    "len(range(1000000000))": /the function range/,
    "length(repeat('x', 1000000000))": /the function repeat/,
    "length(lpad('x', 1000000000, 'y'))": /the function lpad/,
    "length(printf('%1000000000d', 1))": /the function printf/,
    "length(format('{:1000000000}', 1))": /the function format/,
    [`length(${"replace(".repeat(4)}'x'${", 'x', 'xxxxxxxxxx')".repeat(4)})`]: /replace, which could make a text over/,
    "length(regexp_replace('x', '', column_of_text))": /regexp_replace, which could make a text over/,
    "random() * size": /the function random/,
    "sleep_ms(1000000)": /the function sleep_ms/,
    "nextval('x')": /the function nextval/,
    "error('x')": /the function error/,
    "sum(size) over ()": /a window function/,
    "sum(size)": /the function sum/,
    "count(*)": /the function count_star/,
    "columns(*)": /\*/,
    "list_transform([size], x -> x)[1]": /the function list_transform/,
    $1: /a parameter/,
    "#1": /a column by its number/,
    "size::somebodys_type": /a cast to the type somebodys_type/,
    "cast(size as enum('a'))": /a cast to the type ENUM/,
    "json_serialize_sql('select 1')": /the function json_serialize_sql/,
    [`size ${"+ size ".repeat(4000)}`]: /more than 20000 characters/,
  };
  for (const [sql, pattern] of Object.entries(attacks)) {
    test(sql.slice(0, 80), async () => {
      const { port } = server.address() as AddressInfo;
      const filled = sql.replaceAll("$/", `${folder}/`).replaceAll("#/", `${port}/`);
      await assert.rejects(predicted(encodeModel(model(filled))), isRefused(DataError, pattern));
      await assert.rejects(predicted(encodeModel(model(`size + (${filled})`))), CodistillError);
      assert.ok(!existsSync(path("written.csv")));
      assert.equal(numRequests, 0);
    });
  }

  test("in the label too", async () => {
    writeFileSync(path("model.onnx"), encodeModel(model("size", `(select 1 from read_text('${path("secret.txt")}'))`)));
    const attempt = evaluate(path("model.onnx"), path("rows.csv"), { cacheFolder: path("cache") });
    await assert.rejects(attempt, isRefused(DataError, /its label has a subquery/));
  });
});

describe("a graph that no exported model has is refused before it runs:", () => {
  const loop = onnxNode("Loop", ["", ""], ["y"], { body: model("size").graph });
  const large = { name: "shape", dims: [1], dataType: 7, int64Data: [2 ** 40] };
  const graphs: Readonly<Record<string, readonly [Partial<ModelProto["graph"]>, RegExp]>> = {
    "a loop": [{ node: [loop] }, /the operation Loop/],
    "a graph in an attribute": [
      { node: [onnxNode("Relu", ["x"], ["probability"], { g: model("size").graph })] },
      /graph/,
    ],
    "an operation of another domain": [
      { node: [onnxNode("Tokenizer", ["x"], ["probability"], {}, "com.x")] },
      /com\.x/,
    ],
    "a tensor of a trillion elements": [
      { node: [onnxNode("ConstantOfShape", ["shape"], ["probability"])], initializer: [large] },
      /a tensor of 1099511627776 elements/,
    ],
  };
  for (const [what, [graph, pattern]] of Object.entries(graphs)) {
    test(what, () =>
      assert.rejects(predicted(encodeModel(model("size", "late", graph))), isRefused(CheckpointError, pattern)),
    );
  }

  /** A field of type "bytes" of a message, by its number. */
  const field = (number: number, bytes: Uint8Array) =>
    Buffer.concat([varint(8 * number + 2), varint(bytes.length), bytes]);
  const varint = (n: number): Buffer =>
    n < 128 ? Buffer.from([n]) : Buffer.concat([Buffer.from([(n & 127) | 128]), varint(n >> 7)]);

  test("a function that the file defines", async () => {
    const bytes = Buffer.concat([encodeModel(model("size")), field(25, Buffer.from("\n\u0004Cast"))]);
    await assert.rejects(predicted(bytes), isRefused(CheckpointError, /functions, tensors in other files/));
  });
  test("a tensor in another file", async () => {
    const location = Buffer.concat([field(1, Buffer.from("location")), field(2, Buffer.from("secret.txt"))]);
    const tensor = Buffer.concat([Buffer.from([8, 1, 16, 1]), field(8, Buffer.from("w")), field(13, location)]);
    const graph = field(5, Buffer.concat([tensor, Buffer.from([112, 1])]));
    // A second graph of the same file, which readers join to the first.
    const bytes = Buffer.concat([encodeModel(model("size")), field(7, graph)]);
    await assert.rejects(predicted(bytes), isRefused(CheckpointError, /no model that codistill exported/));
  });
});

test("a language model cannot name a tokenizer that lies elsewhere", async () => {
  const metadata = { format: "codistill.model", task: "language", state: "{}" };
  for (const tokenizer of ["../secret.txt", "/etc/passwd", "..", "a/../../secret.txt", "..\\secret.txt"]) {
    const metadataProps = Object.entries({ ...metadata, tokenizer }).map(([key, text]) => ({ key, value: text }));
    writeFileSync(path("model.onnx"), encodeModel({ ...model("size"), metadataProps }));
    await assert.rejects(openLanguageModel(path("model.onnx")), isRefused(CheckpointError, /is not a language model/));
  }
});

describe("a database reaches nothing but the files that it was opened for:", () => {
  let db: Database;
  before(async () => {
    writeFileSync(path("a[1].csv"), "x\n1\n");
    db = await openDuckdb(path("spill"), { reads: [path("rows.csv"), path("a[1].csv")], writes: [path("own.csv")] });
  });
  after(() => db.close());

  test("those it reads and writes, twice as well", async () => {
    for (let time = 0; time < 2; time++) await db.run(`copy (select 1 as x) to '${path("own.csv")}' (format csv)`);
    assert.equal((await db.rows(`select * from read_csv('${path("rows.csv")}')`)).length, 3);
    assert.equal((await db.rows(`select * from read_csv('${path("a[[]1].csv")}')`)).length, 1);
  });

  const statements = [
    "select * from read_text('$/secret.txt')",
    "select * from read_csv('$/secret.txt')",
    "select * from '$/secret.txt'",
    "select * from glob('$/*')",
    "copy (select 1) to '$/written.csv'",
    "copy (select 1) to '$/own.csv2' (format csv)",
    "attach '$/written.db'",
    "export database '$/written'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "set allowed_paths = ['$/secret.txt']",
    "set temp_directory = '$'",
    "reset enable_external_access",
    "pragma enable_external_access = true",
    "create persistent secret s (type http)",
    "select * from read_csv('http://127.0.0.1:#/leak')",
  ];
  for (const statement of statements) {
    test(statement, async () => {
      const { port } = server.address() as AddressInfo;
      const filled = statement.replaceAll("$", folder).replaceAll("#", String(port));
      await assert.rejects(db.run(filled));
      assert.ok(!existsSync(path("written.csv")) && !existsSync(path("written.db")) && !existsSync(path("written")));
      assert.equal(numRequests, 0);
    });
  }

  test("an expression is what was looked at, written anew", async () => {
    await db.run('create table t as select 1 as "a b"');
    assert.equal(await checkedSql(sqlReader(db), "x", '"a b" + 1 -- a comment'), '("a b" + 1)');
  });
});
