/**
 * Which of a group's snapshots are news. A teacher's age counts from when its snapshot was first seen here, so its progress must
 * be one: who points to old snapshots in turn would be young for ever.
 *
 * - A snapshot that was seen before is never new again.
 * - One of an earlier step than the furthest that was seen is not new, unless it is of a later start of the group, which went on
 *   from its checkpoint; or what was seen last is too old to teach anyway, as when a group was set back a long way.
 *
 * The group's last new snapshot stays its snapshot, and grows old.
 */
import type { Pointer } from "../checkpoint/snapshot.js";
import { CheckpointError } from "../errors.js";

export interface News {
  /**
   * Whether a pointer is to a new snapshot.
   *
   * Throws {@link CheckpointError} when it has gone back without the group having been started again.
   */
  isNew(pointer: Pointer, isLastStale: boolean): boolean;
  /** Its snapshot was read. */
  take(pointer: Pointer): void;
}

/** What is told apart by: half of a SHA-256 in hexadecimal. */
const idOf = (digest: string) => digest.slice(0, 32);

/** The news of all teachers, of which some snapshots are known. */
export function newsOf(
  known: readonly { readonly group: number; readonly step: number; readonly digest: string }[],
): News {
  const seen = new Set(known.map(({ digest }) => idOf(digest)));
  // Of a snapshot from a checkpoint nobody knows the start: each that is there now counts as later.
  const furthest = new Map(known.map(({ group, step }) => [group, { step, incarnation: 0 }]));
  return {
    isNew(pointer, isLastStale) {
      const { group, step, incarnation, sha256 } = pointer;
      const last = furthest.get(group);
      const isLaterStart = last === undefined || incarnation > last.incarnation;
      const isSeen = seen.has(idOf(sha256));
      if (!isSeen && (isLaterStart || isLastStale || (incarnation === last.incarnation && step > last.step)))
        return true;
      if (isLaterStart) return false;
      const why = isSeen ? "it was seen before" : `step ${last.step} of its start ${last.incarnation} was seen before`;
      throw new CheckpointError(
        `snapshots of a group must go on, and its pointer went back to step ${step} of its start ${incarnation} (${why}). ` +
          "The snapshot before stays and grows old, until there is a new one.",
      );
    },
    take({ group, step, incarnation, sha256 }) {
      seen.add(idOf(sha256));
      furthest.set(group, { step, incarnation });
    },
  };
}
