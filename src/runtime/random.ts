/**
 * Counter-based random numbers: every draw is a pure function of a key, so nothing hidden has to be saved to
 * resume. The generator is Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy
 * as 1, 2, 3").
 */

/** A 64-bit key as two unsigned 32-bit words. */
export interface Key {
  readonly hi: number;
  readonly lo: number;
}

/** The root key of a seed (a non-negative safe integer). */
export function rootKey(seed: number): Key {
  return { hi: Math.floor(seed / 2 ** 32) >>> 0, lo: seed >>> 0 };
}

/** A child key; different `data` (a 32-bit integer, or a name) give independent streams. */
export function fold(parent: Key, data: number | string): Key {
  const words = typeof data === "number" ? [data] : [...data].map((letter) => letter.codePointAt(0) ?? 0);
  let { hi, lo } = parent;
  // The length comes first, and the counter's high word keeps these blocks apart from those of draws: so no name's
  // chain of keys begins with that of another name.
  for (const word of [words.length, ...words]) [hi, lo] = threefry(hi, lo, 0xffffffff, word);
  return { hi, lo };
}

/** `count` random 32-bit words. */
export function bits(key: Key, count: number): Uint32Array {
  const words = new Uint32Array(count + (count % 2));
  for (let i = 0; i < words.length; i += 2) {
    const [first, second] = threefry(key.hi, key.lo, 0, i / 2);
    words[i] = first;
    words[i + 1] = second;
  }
  return words.subarray(0, count);
}

/** `count` float32 values, uniform in [0, 1), of 24 random bits each. */
export function uniform(key: Key, count: number): Float32Array {
  return Float32Array.from(bits(key, count), (word) => (word >>> 8) * 2 ** -24);
}

/** `count` standard normal float32 values, by the Box-Muller transform. */
export function normal(key: Key, count: number): Float32Array {
  const words = bits(key, count + (count % 2));
  const values = new Float32Array(words.length);
  for (let i = 0; i < words.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(((words[i] ?? 0) + 1) * 2 ** -32));
    const angle = 2 * Math.PI * (words[i + 1] ?? 0) * 2 ** -32;
    values[i] = radius * Math.cos(angle);
    values[i + 1] = radius * Math.sin(angle);
  }
  return values.subarray(0, count);
}

/** A uniformly random order of 0 to `count` - 1 (Fisher-Yates). */
export function permutation(key: Key, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const words = bits(key, count);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((words[i] ?? 0) * 2 ** -32 * (i + 1));
    const swapped = order[i] as number;
    order[i] = order[j] as number;
    order[j] = swapped;
  }
  return order;
}

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** One block: two words of counter encrypted under two words of key. Exported for its known-answer test. */
export function threefry(key0: number, key1: number, counter0: number, counter1: number): [number, number] {
  const key2 = key0 ^ key1 ^ 0x1bd11bda;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let round = 0; round < 20; round++) {
    const by = rotations[round % 8] as number;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << by) | (x1 >>> (32 - by))) ^ x0;
    if (round % 4 === 3) {
      const step = (round + 1) / 4;
      x0 = (x0 + injected(step, key0, key1, key2)) | 0;
      x1 = (x1 + injected(step + 1, key0, key1, key2) + step) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** The key schedule: word `step` modulo 3 of the extended key. */
function injected(step: number, key0: number, key1: number, key2: number): number {
  const word = step % 3;
  return word === 0 ? key0 : word === 1 ? key1 : key2;
}
