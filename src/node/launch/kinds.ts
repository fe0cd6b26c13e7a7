/** What reads each kind of data, in one line a kind; `run/kinds/` has their rules. */
import { type ConfigOf, type DataKindName, kindNameOf } from "../../run/kinds/kinds.js";
import type { RunConfig } from "../../run/schema.js";
import type { DataReader } from "../runs/data-reader.js";

/** Loaded when they are needed: a run on tables needs no tokenizers, and one on text no DuckDB. */
const readers: { readonly [K in DataKindName]: () => Promise<DataReader<ConfigOf<K>>> } = {
  table: async () => (await import("../table/table-reader.js")).tableReader,
  text: async () => (await import("../text/text-reader.js")).textReader,
};

/** The reader of a configuration's data, for this configuration alone: its type does not say of which kind it is. */
export function readerOf(config: RunConfig): Promise<DataReader<RunConfig>> {
  return readers[kindNameOf(config)]();
}
