/** Who has which params, which batches are dealt, and which gradient is applied next. It computes nothing. */

/** A gradient that a worker is computing. */
export interface UnderWay {
  readonly worker: number;
  /** The version of the params that it is computed by: how many updates they have had. */
  readonly version: number;
  /** The number of its batch; no two gradients under way have the same. */
  readonly batch: number;
}

/** A gradient that has come. */
export interface Push<Gradient> extends UnderWay {
  readonly gradient: Gradient;
}

export interface Desk<Gradient> {
  /** How many gradients were applied, or skipped. */
  readonly version: number;
  /** A worker asks for params. */
  asked(worker: number): void;
  /** The worker that may have params now, who has waited longest; null when there is none. */
  nextPull(): number | null;
  /** Let a worker have the params of now, and a batch. */
  give(worker: number): UnderWay;
  /** A worker brings the gradient of a batch. One that is not waited for, from before the group went back, is thrown away. */
  brought(batch: number, gradient: Gradient): void;
  /** The first gradient that came of those that may be applied now; null when there is none. */
  nextPush(): Push<Gradient> | null;
  /** It was applied. */
  applied(push: Push<Gradient>): void;
  /** The batches that were dealt and have not been applied. */
  underWay(): readonly number[];
  /** Go on from params of another version: gradients under way are void. */
  goBack(version: number): void;
}

export interface DeskOptions {
  /** The number of the next batch. */
  readonly deal: () => number;
  /** How many workers are active at a version: those of ranks 1 up to this one. */
  readonly activeAt: (version: number) => number;
  /** The most updates between the pull of a gradient and its own; no bound by default. */
  readonly maxStaleness?: number | undefined;
}

/**
 * The desk of the parameter servers.
 *
 * With a bound K on the staleness, at most K + 1 gradients are under way, and one that has come waits while an update by it would
 * leave too little room for the others. Let v(0) <= v(1) <= ... be the versions of the gradients under way, those that wait
 * included, and V the version of the params. The rule keeps
 *
 *     v(i) + K >= V + i   for every i,                                                                            (1)
 *
 * which says that all of them would be in time if they came oldest first. A pull adds v = V behind the others, at i <= K, for which
 * (1) holds. An update is made only if (1) holds for the others at V + 1. By (1) for i = 0, a gradient that is applied has a
 * staleness V - v of at most K. Nobody waits for ever: without the oldest, v(i + 1) + K >= (V + 1) + i is (1) as it was, so the
 * oldest is applied as soon as it comes.
 */
export function desk<Gradient>({
  deal,
  activeAt,
  maxStaleness = Number.POSITIVE_INFINITY,
}: DeskOptions): Desk<Gradient> {
  let version = 0;
  let waiting: readonly number[] = [];
  /** In the order of pulls, which is that of versions. */
  let underWay: readonly UnderWay[] = [];
  /** In the order in which they came. */
  let arrived: readonly Push<Gradient>[] = [];

  const without = <T extends UnderWay>(list: readonly T[], batch: number) => list.filter((one) => one.batch !== batch);

  function isInTime(push: UnderWay): boolean {
    return without(underWay, push.batch).every((other, i) => other.version + maxStaleness >= version + 1 + i);
  }

  return {
    get version() {
      return version;
    },
    asked(worker) {
      waiting = [...waiting.filter((one) => one !== worker), worker];
    },
    nextPull() {
      if (underWay.length > maxStaleness) return null;
      // The memory of a gradient that waits is not its worker's to write again.
      const isFree = (worker: number) => !arrived.some((one) => one.worker === worker);
      return waiting.find((worker) => worker <= activeAt(version) && isFree(worker)) ?? null;
    },
    give(worker) {
      waiting = waiting.filter((one) => one !== worker);
      const given = { worker, version, batch: deal() };
      underWay = [...underWay, given];
      return given;
    },
    brought(batch, gradient) {
      const known = underWay.find((one) => one.batch === batch);
      if (known && !arrived.some((one) => one.batch === batch)) arrived = [...arrived, { ...known, gradient }];
    },
    nextPush: () => arrived.find(isInTime) ?? null,
    applied({ batch }) {
      underWay = without(underWay, batch);
      arrived = without(arrived, batch);
      version++;
    },
    underWay: () => underWay.map(({ batch }) => batch),
    goBack(to) {
      version = to;
      [underWay, arrived] = [[], []];
    },
  };
}
