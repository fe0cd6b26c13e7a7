/** Describes the text that each group trains on, and proves that shards are disjoint. */
import { createHash } from "node:crypto";
import type { DataRegime } from "../../data/shard.js";
import { documentsOf, type TextSize } from "../../data/text/text.js";
import { count, table } from "../../report/format.js";
import { bytesOf } from "../../runtime/array.js";
import type { CachedText } from "./text-cache.js";

export interface TextShardReport {
  readonly regime: DataRegime;
  readonly sizes: Readonly<Record<"train" | "validation" | "test", TextSize>>;
  readonly groups: readonly {
    readonly group: number;
    readonly slots: number;
    readonly documents: number;
    readonly tokens: number;
    /** SHA-256 in hexadecimal of the shard's tokens, in their order: equal on two machines when the shards are. */
    readonly digest: string;
  }[];
  /** The numbers of different documents, by their tokens, that two shards share. */
  readonly pairs: readonly { readonly groups: readonly [number, number]; readonly sharedDocuments: number }[];
  /** Why shards that should be disjoint are not; null when they are, or need not be. */
  readonly problem: string | null;
}

/** Describe the shards of the training documents that the slots of each group make. */
export function describeTextShards(
  { train, sizes }: Pick<CachedText, "train" | "sizes">,
  regime: DataRegime,
  slots: readonly (readonly number[])[],
): TextShardReport {
  const shards = slots.map((own) => {
    const documents = documentsOf(train, own);
    const hash = createHash("sha256");
    const contents = new Set<string>();
    let tokens = 0;
    for (const d of documents) {
      const [start, end] = [train.starts[d] as number, train.starts[d + 1] as number];
      const text = new Int32Array(end - start);
      train.read(start, text.length, text, 0);
      hash.update(bytesOf(text));
      contents.add(createHash("sha256").update(bytesOf(text)).digest("base64"));
      tokens += text.length;
    }
    return { documents: documents.length, tokens, digest: hash.digest("hex"), contents };
  });
  const pairs = shards.flatMap((a, i) =>
    shards.slice(i + 1).map((b, j) => ({
      groups: [i, i + 1 + j] as const,
      sharedDocuments: [...a.contents].filter((content) => b.contents.has(content)).length,
    })),
  );
  const shared = pairs.find(({ sharedDocuments }) => sharedDocuments > 0);
  const isWrong = regime === "disjoint" && shared !== undefined;
  return {
    regime,
    sizes,
    groups: shards.map(({ contents: _, ...shard }, group) => ({ group, slots: slots[group]?.length ?? 0, ...shard })),
    pairs,
    problem: isWrong
      ? `groups ${shared.groups.join(" and ")} have ${count(shared.sharedDocuments)} documents both`
      : null,
  };
}

/** A report as tables, and the verdict. */
export function textShardLines({ regime, sizes, groups, pairs, problem }: TextShardReport): string[] {
  const head = ["", "slots", "documents", "tokens", "SHA-256 of its tokens"];
  const lines = groups.map(({ group, slots, documents, tokens, digest }) => [
    `group ${group}`,
    count(slots),
    count(documents),
    count(tokens),
    digest,
  ]);
  const pairLines = pairs.map(({ groups: [a, b], sharedDocuments }) => [
    `groups ${a} and ${b}`,
    count(sharedDocuments),
  ]);
  const { train, validation, test } = sizes;
  return [
    `regime "${regime}", ${count(train.documents)} training, ${count(validation.documents)} validation, ${count(test.documents)} test documents`,
    "",
    ...table([head, ...lines]),
    "",
    ...(pairLines.length > 0 ? [...table([["both have", "documents"], ...pairLines]), ""] : []),
    problem === null ? verdicts[regime] : `not disjoint: ${problem}`,
  ];
}

const verdicts: { readonly [R in DataRegime]: string } = {
  disjoint: "disjoint: no training document is in two shards",
  all: "not disjoint, as asked: every group trains on all documents",
  same: "not disjoint, as asked: every group trains on the shard of group 0",
};
