/**
 * The layout of a store: the one place that makes the names of its objects and reads them.
 *
 *     claims/<group>.json                                  that a group is taken
 *     groups/<group>/incarnations/<6 digits>.json          that it was started for the n-th time
 *     groups/<group>/snapshots/<step>-<digest>.safetensors its params after a step
 *     groups/<group>/latest.json                           which of them is the newest
 */

/** Starts of one group that a store can number: names have six digits. */
export const MOST_INCARNATIONS = 999_999;

const folder = (group: number) => `groups/${group}/`;

/** The claim of a group. */
export const claimName = (group: number) => `claims/${group}.json`;

/** The pointer to a group's newest snapshot. */
export const latestName = (group: number) => `${folder(group)}latest.json`;

/** What the names of all snapshots of a group begin with. */
export const snapshotsFolder = (group: number) => `${folder(group)}snapshots/`;

/** A snapshot: its step, in at least nine digits so that names sort by it, and the beginning of its SHA-256. */
export function snapshotName(group: number, step: number, sha256: string): string {
  return `${snapshotsFolder(group)}${String(step).padStart(9, "0")}-${sha256.slice(0, 8)}.safetensors`;
}

/** Whether a name is one that a snapshot gets: of a group, or of any. */
export function isSnapshotName(name: string, group?: number): boolean {
  const isOne = /^groups\/\d+\/snapshots\/\d{9,13}-[0-9a-f]{8}\.safetensors$/.test(name);
  return isOne && (group === undefined || name.startsWith(snapshotsFolder(group)));
}

/** What the names of the starts of a group begin with. */
export const incarnationsFolder = (group: number) => `${folder(group)}incarnations/`;

/** The claim of a start of a group, from 1 to 999,999. */
export function incarnationName(group: number, incarnation: number): string {
  return `${incarnationsFolder(group)}${String(incarnation).padStart(6, "0")}.json`;
}

/** The number that the name of a start says; 0 for a name that none has. */
export function incarnationOf(name: string, group: number): number {
  const [, digits] = /^(\d{6})\.json$/.exec(name.slice(incarnationsFolder(group).length)) ?? [];
  return Number(digits ?? 0);
}
