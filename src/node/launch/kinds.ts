/** The reader of each kind of data; `run/kinds/` has the kinds' rules. */
import { type ConfigOf, type DataKindName, kindNameOf } from "../../run/kinds/kinds.js";
import type { RunConfig } from "../../run/schema.js";
import type { DataReader } from "../runs/data-reader.js";

/** Loaded when they are needed: a run on tables needs no tokenizers, and one on text or images no DuckDB. */
const readers: { readonly [K in DataKindName]: () => Promise<DataReader<ConfigOf<K>>> } = {
  table: async () => (await import("../table/table-reader.js")).tableReader,
  images: async () => (await import("../image/image-reader.js")).imageReader,
  text: async () => (await import("../text/text-reader.js")).textReader,
};

/**
 * The reader of a configuration's data. It must be given this configuration alone, although its type takes any kind.
 */
export function readerOf(config: RunConfig): Promise<DataReader<RunConfig>> {
  return readers[kindNameOf(config)]();
}
