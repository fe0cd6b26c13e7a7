/** The parts of what a table is trained by, each of which is left out, or taken instead, in one arm of `npm run study:parts`. */

/** A configuration as it is written, as far as the arms change it. */
export interface Written {
  readonly data: Readonly<Record<string, unknown>>;
  readonly task: Readonly<Record<string, unknown>>;
  readonly model: Readonly<Record<string, unknown>>;
  readonly optimizer: Readonly<Record<string, unknown>>;
  readonly algorithm: Readonly<Record<string, unknown>>;
  readonly [option: string]: unknown;
}

export interface Part {
  readonly name: string;
  /** What is different, in a few words. */
  readonly what: string;
  /** The configuration with the difference; null of a table that it does not concern. */
  readonly change: (config: Written) => Written | null;
}

const MEMBERS = 8;

/** More steps, and as many validations among them. */
function scaled(config: Written, factor: number): object {
  const options = ["numSteps", "validationInterval", "checkpointInterval"];
  return Object.fromEntries(options.map((option) => [option, Math.round(factor * (config[option] as number))]));
}

export const parts: readonly Part[] = [
  {
    name: "plain numbers",
    what: "numbers are standardised, and have no code of bins",
    change: ({ model: { numericEmbedding, ...model }, ...config }) => (numericEmbedding ? { ...config, model } : null),
  },
  {
    name: "periodic numbers",
    what: "numbers become sines and cosines of learned frequencies instead of bins",
    change: ({ model, ...config }) =>
      model.numericEmbedding
        ? {
            ...config,
            model: { ...model, numericEmbedding: { kind: "periodic", frequencies: 16, sigma: 0.1, width: 8 } },
          }
        : null,
  },
  {
    name: "AdamW",
    what: "AdamW at a rate of 0.002 with a decay of 0.01 instead of Muon",
    change: ({ optimizer: { warmUp, schedule }, ...config }) => ({
      ...config,
      optimizer: { kind: "adamW", learningRate: 0.002, weightDecay: 0.01, warmUp, schedule },
    }),
  },
  {
    name: "one decay",
    what: "embeddings of rare names decay no more than other weights",
    change: (config) => {
      const { rates, ...weightDecay } = config.optimizer.weightDecay as { readonly rates?: object };
      return rates && Object.keys(rates).length > 0
        ? { ...config, optimizer: { ...config.optimizer, weightDecay } }
        : null;
    },
  },
  {
    name: "last params",
    what: "the params themselves are validated and shipped, not their average",
    change: ({ ema: _, ...config }) => config as Written,
  },
  {
    name: "dropout the other way",
    what: "dropout of 0.1 of numbers, which have none, and none of classes, which have it",
    change: ({ model: { dropout, ...model }, ...config }) => ({
      ...config,
      model: dropout === undefined ? { ...model, dropout: 0.1 } : model,
    }),
  },
  {
    name: "no temperature",
    what: "probabilities of classes as they come",
    change: ({ task: { temperature, ...task }, ...config }) => (temperature === undefined ? null : { ...config, task }),
  },
  {
    name: "members the other way",
    what: "1 network where there are 8 that share their weights, and 8 where there is 1",
    change: ({ model, ...config }) => ({
      ...config,
      model: { ...model, members: model.members === 1 ? MEMBERS : 1 },
    }),
  },
  {
    name: "more passes",
    what: "two and a half times as many steps",
    change: (config) => ({ ...config, ...scaled(config, 2.5) }),
  },
  {
    name: "no label means",
    what: "no means of the label by rare name",
    change: ({ data: { labelMeans, ...data }, ...config }) => (labelMeans === undefined ? null : { ...config, data }),
  },
  {
    name: "two groups",
    what: "two groups on all rows that codistill after 30 % of the steps, so twice the work",
    change: (config) => ({
      ...config,
      numGroups: 2,
      algorithm: { ...config.algorithm, kind: "codistill", burnInSteps: "30%" },
    }),
  },
];

/** Of these, and what a run is without any of them, the best by validation is what a search would have found. */
export const SEARCHED: readonly string[] = ["one decay", "dropout the other way", "plain numbers", "more passes"];
