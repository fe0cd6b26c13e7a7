/** Options of a configuration's network. */

/** Each number as one value for each bin between quantiles of its training rows, from 0 below it to 1 above it. */
export interface PiecewiseInput {
  readonly kind: "piecewise";
  /** The most bins of a feature: 4, 8, 16, 32 or 64; 16 by default. */
  readonly bins?: 4 | 8 | 16 | 32 | 64 | undefined;
}

/** Each number as sines and cosines of learned frequencies, through one layer that all numbers share. */
export interface PeriodicInput {
  readonly kind: "periodic";
  /** Frequencies of each feature; 16 by default. */
  readonly frequencies?: number | undefined;
  /** The standard deviation with which the frequencies begin; 0.1 by default. */
  readonly sigma?: number | undefined;
  /** Width of the vector of a feature; 8 by default. */
  readonly width?: number | undefined;
}

/** Options of all networks of tables. */
interface TableNetworkInput {
  /** Categorical feature to the width of its embedding. */
  readonly embeddings?: Record<string, number> | undefined;
  /** Width of the embeddings that `embeddings` does not name; 16 by default. */
  readonly embeddingWidth?: number | undefined;
  /**
   * Categorical feature to the number of rows of its embedding table, for features with very many names: each name uses
   * two rows, chosen by two hashes, and shares them with other names.
   */
  readonly hashed?: Record<string, number> | undefined;
  /** Widths of the hidden layers; [128, 64] by default, and [] is a linear model. */
  readonly hidden?: readonly number[] | undefined;
  /**
   * How numbers become vectors, beside the number itself, which is then scaled by median and quartiles and clipped
   * smoothly. Left out, a number is one input, standardised by mean and standard deviation.
   */
  readonly numericEmbedding?: PiecewiseInput | PeriodicInput | undefined;
  /** Share of the hidden units that are dropped in training, 0 by default; teachers and evaluation drop none. */
  readonly dropout?: number | undefined;
}

/** A multilayer perceptron over embeddings and numbers. */
export interface MlpInput extends TableNetworkInput {
  readonly kind: "mlp";
}

/**
 * Several multilayer perceptrons that share their weights and differ in a few vectors; the prediction is the mean of
 * theirs.
 */
export interface TabmInput extends TableNetworkInput {
  readonly kind: "tabm";
  /** How many there are; 8 by default. */
  readonly members?: number | undefined;
  /** How many of them learn from each row of a batch, drawn anew for each row; all by default. Must divide `members`. */
  readonly membersPerRow?: number | undefined;
}

/** The networks of tables. */
export type TableModelInput = MlpInput | TabmInput;

/** Layer-normalised LSTMs over an embedding, for text. */
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

/** A decoder-only transformer with rotary positions, for text. */
export interface TransformerInput {
  readonly kind: "transformer";
  /** "llama" (default): RMS norms, SwiGLU, no biases; "gpt": layer norms, GELU, biases. */
  readonly style?: "llama" | "gpt" | undefined;
  /** The name of a shape, which sets width, layers and heads; any of these given beside it overrides it. */
  readonly size?: "1M" | "3M" | "10M" | "30M" | "100M" | undefined;
  /** Width of the embedding and of every block; 128 by default. */
  readonly width?: number | undefined;
  /** Blocks; 4 by default. */
  readonly layers?: number | undefined;
  /** Attention heads of each block; 4 by default. They must divide the width into heads of an even depth. */
  readonly heads?: number | undefined;
  /** Whether the embedding is the weight of the output too; true by default. */
  readonly tied?: boolean | undefined;
  /** Share of inner values that are dropped in training, 0 by default; teachers and evaluation drop none. */
  readonly dropout?: number | undefined;
}

/** The networks of text. */
export type TextModelInput = LstmInput | TransformerInput;

/** A few 3x3 convolutions, each with the maximum of 2x2 windows, batch normalisation and ReLU: for small images. */
export interface CnnInput {
  readonly kind: "cnn";
  /** The channels of each convolution; [32, 64, 128] by default. Each halves the images. */
  readonly widths?: readonly number[] | undefined;
  /** Share of the values before the last layer that are dropped in training, 0 by default; teachers and evaluation drop none. */
  readonly dropout?: number | undefined;
}

/** A residual network. */
export interface ResNetInput {
  readonly kind: "resnet";
  /** 20 (default), 32 or 56, in the form for small images, or 18 or 50, in that for photographs. */
  readonly depth?: 20 | 32 | 56 | 18 | 50 | undefined;
}

/** A network of depthwise separable convolutions, with fewer params and products for the same size of image. */
export interface MobileNetInput {
  readonly kind: "mobilenet";
  /** The channels of all layers are multiplied by it, to multiples of 8; 1 by default. */
  readonly widthMultiplier?: number | undefined;
}

/** The networks of images. */
export type ImageModelInput = CnnInput | ResNetInput | MobileNetInput;
