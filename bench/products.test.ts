import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planEngine } from "../src/node/ort/bindings.js";
import { convProducts, gigaFlops, linearProducts, type MatrixProduct, productsPlan } from "./products.js";
import { specs } from "./specs.js";

describe("bare products", () => {
  const [m, k, n] = [2, 3, 4];
  const products: MatrixProduct[] = [false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB) =>
      [undefined, 2].map((batch) => ({
        kind: "matmul" as const,
        a: transposeA ? ([k, m] as const) : ([m, k] as const),
        b: transposeB ? ([n, k] as const) : ([k, n] as const),
        transposeA,
        transposeB,
        ...(batch !== undefined && { batch }),
      })),
    ),
  );

  it("are computed, each of them: their first elements are the sums that they should be", async () => {
    const engine = await planEngine({ threads: 1 }, "official");
    const { plan, feeds } = productsPlan(products);
    const program = await engine.compile(plan);
    const { elements } = await program.run(feeds);
    products.forEach(({ transposeA, transposeB }, i) => {
      const [a, b] = [feeds[`a.${i}`]?.data, feeds[`b.${i}`]?.data] as [Float32Array, Float32Array];
      const terms = Array.from({ length: k }, (_, j) => a[transposeA ? j * m : j]! * b[transposeB ? j : j * n]!);
      const sum = terms.reduce((x, y) => x + y);
      assert.ok(Math.abs(Number(elements?.data[i]) - sum) < 1e-5, `product ${i}: ${elements?.data[i]} and ${sum}`);
    });
    await engine.close();
  });

  it("of a network are as many operations as one counts by hand", () => {
    assert.equal(gigaFlops(products), (2 * m * k * n * (4 + 4 * 2)) / 1e9);
    assert.equal(gigaFlops(linearProducts(10, 20, 30)), (3 * 2 * 10 * 20 * 30) / 1e9);
    assert.equal(gigaFlops(linearProducts(10, 20, 30, true)), (2 * 2 * 10 * 20 * 30) / 1e9);
    const perConv = 2 * 9 * 5 * 5 * (2 * 7 * 7);
    assert.ok(Math.abs(gigaFlops(convProducts([2, 5, 7, 7])) - (3 * perConv) / 1e9) < 1e-12);
    const click = 2 * 256 * (2 * 1000 * 2560 + 3 * (2560 * 1024 + 1024 * 256 + 256));
    assert.equal(gigaFlops(specs.click.products), click / 1e9);
  });
});
