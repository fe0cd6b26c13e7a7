/** Layers and blocks of networks: functions of params by their paths, and the params that they read. */
export {
  type AttentionOptions,
  attention,
  attentionParams,
  transformerBlock,
  transformerBlockParams,
} from "./attention.js";
export * from "./conv.js";
export * from "./elman.js";
export * from "./gru.js";
export { type HashedEmbeddingOptions, hashedEmbedding, hashedEmbeddingParams } from "./hashed-embedding.js";
export * from "./layers.js";
export * from "./lstm.js";
export * from "./lstm-language-model.js";
export * from "./norm.js";
export * from "./recurrent.js";
export * from "./token-reader.js";
export * from "./transformer-language-model.js";
