/** Refusals of the operating system, as a disk that is full or a folder that may not be written to: by their codes. */

/** Whether an error is one of the operating system. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** The code of an error of the operating system, such as ENOENT; undefined for other errors. */
export function systemCodeOf(error: unknown): string | undefined {
  return isSystemError(error) ? error.code : undefined;
}

const noSpace = "Free some space there, or keep fewer snapshots.";
const noRight = "Let this user read and write the folder, or choose another.";
const noLink = "Its file system cannot make hard links; choose a folder on one that can.";

/** The cure of an error, by its code. */
export const cures: Readonly<Record<string, string>> = {
  ENOSPC: noSpace,
  EDQUOT: noSpace,
  EACCES: noRight,
  EPERM: "Its file system must let this user write and make hard links; choose another folder.",
  EROFS: "The file system is read-only; choose another folder, or mount it for writing.",
  ENOTDIR: "Move that file away, or choose another folder.",
  EEXIST: "Move that file away, or choose another folder.",
  EISDIR: "A folder has this name; choose another name, or move the folder away.",
  ELOOP: "A store follows no symbolic links; put the real file or folder there.",
  ENOENT: "The folder cannot be made there, or was removed meanwhile; check its path.",
  ESTALE: "Another host removed it meanwhile; try again.",
  EMFILE: "Too many files are open; raise the limit (ulimit -n).",
  ENFILE: "Too many files are open on this machine.",
  ENAMETOOLONG: "Choose a folder with a shorter path.",
  EIO: "The disk reports a fault; choose another.",
  ENOTSUP: noLink,
  EOPNOTSUPP: noLink,
  ENOSYS: noLink,
  EMLINK: noLink,
};
