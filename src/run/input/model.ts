/** What a configuration may say of its network. */

/** Fully connected layers over embeddings: of tables. */
export interface MlpInput {
  readonly kind: "mlp";
  /** Width of the embedding of each categorical feature. */
  readonly embeddings?: Record<string, number> | undefined;
  /** Width for those that are not named; 16 by default. */
  readonly embeddingWidth?: number | undefined;
  /** Of categorical features with very many names: rows of their embedding table, which names share by two hashes each. */
  readonly hashed?: Record<string, number> | undefined;
  /** Widths of the hidden layers; [128, 64] by default, and [] is a linear model. */
  readonly hidden?: readonly number[] | undefined;
}

/** Layer-normalised LSTMs over an embedding: of text. */
export interface LstmInput {
  readonly kind: "lstm";
  /** Width of the embedding; 128 by default. */
  readonly width?: number | undefined;
  /** Hidden units of each layer; 256 by default. */
  readonly hidden?: number | undefined;
  /** Layers; 2 by default. */
  readonly layers?: number | undefined;
  /** Whether the embedding is the weight of the output too; `width` is then `hidden`. False by default. */
  readonly tied?: boolean | undefined;
  /** Share of inner values that are dropped in training, 0 by default; teachers and evaluation drop none. */
  readonly dropout?: number | undefined;
}

/** A decoder-only transformer with rotary positions: of text. */
export interface TransformerInput {
  readonly kind: "transformer";
  /** "llama" (default): RMS norms, SwiGLU, no biases; "gpt": layer norms, GELU, biases. */
  readonly style?: "llama" | "gpt" | undefined;
  /** A shape by name, in the place of width, layers and heads; what is given of these beside it counts more. */
  readonly size?: "1M" | "3M" | "10M" | "30M" | "100M" | undefined;
  /** Width of the rows; 128 by default. */
  readonly width?: number | undefined;
  /** Blocks; 4 by default. */
  readonly layers?: number | undefined;
  /** Into how many heads the width divides, each of an even depth; 4 by default. */
  readonly heads?: number | undefined;
  /** Whether the embedding is the weight of the output too; true by default. */
  readonly tied?: boolean | undefined;
  /** Share of inner values that are dropped in training, 0 by default; teachers and evaluation drop none. */
  readonly dropout?: number | undefined;
}

/** The networks of text. */
export type TextModelInput = LstmInput | TransformerInput;
