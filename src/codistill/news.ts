/**
 * Which snapshots of a group count as new. A teacher's age counts from when its snapshot was first seen here, so new
 * snapshots must be progress: a group that points to old snapshots in turn would be young for ever.
 *
 * - A snapshot that was seen before is never new again.
 * - A snapshot of the same start as the last new one is new when its step is higher. A snapshot of a later start is
 *   always new: that start may have resumed from an earlier checkpoint.
 * - When the last new snapshot is too old to teach, as after a group was set back a long way, any other one is new.
 *
 * Until a new one arrives, the last new snapshot stays the group's snapshot, and grows old.
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
  /** Record that the snapshot of a pointer was read. */
  take(pointer: Pointer): void;
}

/** Snapshots are told apart by half of their SHA-256 in hexadecimal. */
const idOf = (digest: string) => digest.slice(0, 32);

/** The news of all teachers, some of whose snapshots are known already. */
export function newsOf(
  known: readonly { readonly group: number; readonly step: number; readonly digest: string }[],
): News {
  const seen = new Set(known.map(({ digest }) => idOf(digest)));
  // A checkpoint does not save the start of a snapshot, so every start in the store counts as later.
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
