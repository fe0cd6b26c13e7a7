/**
 * The layout of a store: the one place that makes the names of its objects and reads them.
 *
 *     claims/<group>.json                                  the claim of a group
 *     groups/<group>/incarnations/<6 digits>.json          the claim of its n-th start
 *     groups/<group>/snapshots/<step>-<digest>.safetensors its params after a step
 *     groups/<group>/latest.json                           the pointer to its newest snapshot
 *     groups/<group>/at-step/<step>.json                   the pointer to the one after a step, where ages are exact
 */

/** Starts of one group that a store can number: names have six digits. */
export const MOST_INCARNATIONS = 999_999;

const folder = (group: number) => `groups/${group}/`;

/** The claim of a group. */
export const claimName = (group: number) => `claims/${group}.json`;

/** The pointer to a group's newest snapshot. */
export const latestName = (group: number) => `${folder(group)}latest.json`;

/** The prefix of the names of a group's pointers by step. */
export const atStepFolder = (group: number) => `${folder(group)}at-step/`;

/** The pointer to a group's snapshot after a step. */
export const atStepName = (group: number, step: number) =>
  `${atStepFolder(group)}${String(step).padStart(9, "0")}.json`;

/** The step of such a name. */
export const stepOfName = (name: string): number => Number(/(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN);

/** The prefix of the names of a group's snapshots. */
export const snapshotsFolder = (group: number) => `${folder(group)}snapshots/`;

/** A snapshot: its step, in at least nine digits so that names sort by it, and the beginning of its SHA-256. */
export function snapshotName(group: number, step: number, sha256: string): string {
  return `${snapshotsFolder(group)}${String(step).padStart(9, "0")}-${sha256.slice(0, 8)}.safetensors`;
}

/** Whether a name is that of a snapshot: of this group, or of any. */
export function isSnapshotName(name: string, group?: number): boolean {
  const isOne = /^groups\/\d+\/snapshots\/\d{9,13}-[0-9a-f]{8}\.safetensors$/.test(name);
  return isOne && (group === undefined || name.startsWith(snapshotsFolder(group)));
}

/** The prefix of the names of the claims of a group's starts. */
export const incarnationsFolder = (group: number) => `${folder(group)}incarnations/`;

/** The name of the claim of a start of a group; incarnations go from 1 to 999,999. */
export function incarnationName(group: number, incarnation: number): string {
  return `${incarnationsFolder(group)}${String(incarnation).padStart(6, "0")}.json`;
}

/** The incarnation that the name of a start's claim gives; 0 for any other name. */
export function incarnationOf(name: string, group: number): number {
  const [, digits] = /^(\d{6})\.json$/.exec(name.slice(incarnationsFolder(group).length)) ?? [];
  return Number(digits ?? 0);
}
