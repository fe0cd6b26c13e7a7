/** JSON as bytes, as stores hold it. */
import { CheckpointError } from "../errors.js";

/** Deeper than any file of ours; code that walks a value by recursion would overflow the stack at some thousands. */
const MAX_DEPTH = 32;

export function encodeJson(value: unknown, space?: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, null, space));
}

/**
 * The value; undefined when the bytes or the text are not JSON, or nest more than `maxDepth` deep, by default 32. The
 * content of the value is not checked.
 */
export function decodeJson(json: Uint8Array | string, maxDepth = MAX_DEPTH): unknown {
  try {
    const text = typeof json === "string" ? json : new TextDecoder().decode(json);
    return marksOf(text).depth > maxDepth ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Counts of the punctuation of a JSON text, outside its strings. */
export interface Marks {
  /** Colons, one for each member of an object. */
  readonly names: number;
  /** Brackets, colons and commas. */
  readonly all: number;
  /** How deep brackets nest. */
  readonly depth: number;
}

// Codes, not strings: a header may have 100 million characters, and comparing strings takes ten times as long.
const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
const isMark = (code: number) =>
  code === COMMA ||
  code === COLON ||
  code === OPEN_BRACE ||
  code === CLOSE_BRACE ||
  code === OPEN_BRACKET ||
  code === CLOSE_BRACKET;

/** Count the punctuation of a text before parsing it: parsed JSON takes up to forty times the memory of its text. */
export function marksOf(text: string): Marks {
  let names = 0;
  let all = 0;
  let open = 0;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) inString = !inString;
    else if (inString && code === BACKSLASH) at++;
    else if (!inString && isMark(code)) {
      all++;
      if (code === COLON) names++;
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth = Math.max(depth, ++open);
      else if (code !== COMMA) open--;
    }
  }
  return { names, all, depth };
}

/** A value for an error message, cut when a hostile file made it long. */
export function show(value: unknown): string {
  // Strings are cut first: as JSON one may be six times as long, and longer than any string may be.
  const text = JSON.stringify(value, (_, part) => (typeof part === "string" ? part.slice(0, 101) : part)) ?? "nothing";
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

/** The schema's error for a wrong version, with both values. */
export const versionMustBe = (version: number) => ({
  // Not String() of an object: a file can give it a toString that is no function.
  error: ({ input }: { readonly input: unknown }) =>
    `must be ${version}, got ${typeof input === "object" ? show(input) : String(input).slice(0, 20)}`,
});

/** Throws {@link CheckpointError} unless a file has our version. A file without a version counts as having ours. */
export function checkVersion(file: string, version: unknown, ours: number): void {
  if ((version ?? ours) === ours) return;
  throw new CheckpointError(
    `${file}: version must be ${ours}, got ${version}; use the codistill that wrote it, or a newer one`,
  );
}
