/** How long the silence of others is borne: of a worker that does not come, of a group's process that says nothing. */

/** How often a watch looks in the time for which silence is borne. */
const LOOKS = 20;

export const millisecondsBetweenLooks = (silentSeconds: number) => (1000 * silentSeconds) / LOOKS;

export interface SilenceWatch {
  /** A sign of life came. */
  heard(): void;
  end(): void;
}

/**
 * Call `giveUp` when no sign of life has come for so many seconds. They are counted by looks of this process: while it is suspended
 * together with what it watches, as by Ctrl-Z or with its machine, it counts none.
 */
export function watchSilence(silentSeconds: number, giveUp: () => void): SilenceWatch {
  let looks = 0;
  const timer = setInterval(() => {
    if (++looks === LOOKS) giveUp();
  }, millisecondsBetweenLooks(silentSeconds));
  return {
    heard() {
      looks = 0;
    },
    end: () => clearInterval(timer),
  };
}
