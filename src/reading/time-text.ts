/** The text of times: the patterns of strptime that fit it, and edits that make different spellings alike. */

const ZONE = "(?:utc|gmt)?[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2}|z|utc|gmt|[a-z]{2,4}t";
const ZONE_BEHIND = `((?::[0-9]{2}(?:[.,][0-9]+)?(?: ?[ap][.]?m[.]?)?)|[0-9]t[0-9]{4,6}) ?(${ZONE})( \\([^)]*\\))?$`;
/** In text of ctime, the zone stands before the year. */
const ZONE_WITHIN = "(:[0-9]{2}) (?:[+-][0-9]{4}|[a-z]{3,4}) ([0-9]{4})$";
const MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec";

/**
 * Months in German, French, Spanish, Italian, Dutch and Portuguese, in full and abbreviated, by their English
 * abbreviation.
 */
const MONTHS_ELSEWHERE: Readonly<Record<string, string>> = {
  jan: "januar|jänner|jän|janvier|janv|enero|ene|gennaio|gen|januari|janeiro",
  feb: "februar|feber|février|fevrier|févr|fév|febrero|febbraio|februari|fevereiro|fev",
  mar: "märz|maerz|mär|mrz|mars|marzo|maart|mrt|março|marco",
  apr: "avril|avr|abril|abr|aprile",
  may: "mai|mayo|maggio|mag|mei|maio",
  jun: "juni|juin|junio|giugno|giu|junho",
  jul: "juli|juillet|juil|julio|luglio|lug|julho",
  aug: "augustus|août|aout|agosto|ago",
  sep: "septembre|septiembre|settembre|sett|set|setembro",
  oct: "oktober|okt|octobre|octubre|ottobre|ott|outubro|out",
  nov: "novembre|noviembre|novembro",
  dec: "dezember|dez|décembre|decembre|déc|diciembre|dic|dicembre|dezembro",
};
const WEEKDAYS = [
  "(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?",
  "mo|di|mi|do|fr|sa|so|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag",
  "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lun|mer|jeu|ven|sam|dim",
  "lunes|martes|miércoles|jueves|viernes|sábado|domingo|mié|jue|vie|sáb|dom",
  "lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|gio|sab",
  "maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|ma|wo|vr|za|zo",
  "segunda-feira|terça-feira|quarta-feira|quinta-feira|sexta-feira|seg|ter|qua|qui|sex",
].join("|");

/**
 * Edits of lower-case text before a pattern is tried, in this order; `$1` is the first group. They remove what patterns
 * need not mention: the day of the week, a zone after the clock time, the "th" of "12th", "Uhr". And they unify
 * spellings: "September", "Sept." and "settembre" become "sep", "p.m." becomes "pm".
 */
export const TIME_EDITS: readonly { readonly pattern: string; readonly by: string; readonly isOfWords?: true }[] = [
  { pattern: `^(${WEEKDAYS})[.,]*,? +(den |le |el )?`, by: "" },
  { pattern: ZONE_BEHIND, by: "$1" },
  { pattern: ZONE_WITHIN, by: "$1 $2", isOfWords: true },
  { pattern: "(:[0-9]{2}) (uhr|h)$", by: "$1" },
  { pattern: "([0-9])(st|nd|rd|th)\\b", by: "$1", isOfWords: true },
  {
    pattern: `\\b(${MONTHS})(uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\\b[.]?`,
    by: "$1",
    isOfWords: true,
  },
  ...Object.entries(MONTHS_ELSEWHERE).map(([month, names]) => ({
    pattern: `(^|[^\\p{L}])(?:${names})[.]?([^\\p{L}]|$)`,
    by: `$1${month}$2`,
    isOfWords: true as const,
  })),
  { pattern: "([0-9]) de ", by: "$1 ", isOfWords: true },
  { pattern: "([a-z]{3}) de ", by: "$1 ", isOfWords: true },
  { pattern: "([0-9]) ?([ap])[.]?m[.]?$", by: "$1 $2m", isOfWords: true },
  { pattern: "(:[0-9]{2}),([0-9]+)", by: "$1.$2" },
  { pattern: "([.][0-9]{6})[0-9]+", by: "$1" },
];

/** Text of a time after {@link TIME_EDITS}. */
export function editedTime(text: string): string {
  return TIME_EDITS.reduce(
    (edited, { pattern, by }) => edited.replace(new RegExp(pattern, "u"), by),
    text.toLowerCase().trim(),
  );
}

/** The zone that is written after the clock time; null where there is none. */
export function zoneOf(text: string): "Z" | "offset" | null {
  const lower = text.toLowerCase().trim();
  const zone = new RegExp(ZONE_BEHIND).exec(lower)?.[2];
  if (zone === undefined) return new RegExp(ZONE_WITHIN).test(lower) ? "offset" : null;
  return /^(z|utc|gmt|(utc|gmt)?[+-]00(:?00)?)$/.test(zone) ? "Z" : "offset";
}

/** Edited text in ISO 8601, which is read in every column of times, whatever its patterns. */
const ISO_DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}";
export const ISO_TIME = `${ISO_DAY}([t ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?`;

const FIELDS: Readonly<Record<string, string>> = {
  Y: "[0-9]{4}",
  y: "[0-9]{2}",
  m: "[0-9]{1,2}",
  d: "[0-9]{1,2}",
  b: "[a-z]{3}",
  H: "[0-9]{1,2}",
  I: "[0-9]{1,2}",
  M: "[0-9]{2}",
  S: "[0-9]{2}",
  f: "[0-9]{1,6}",
  p: "[ap]m",
};

/** A user's pattern in the form that edited text is tried with; null where it has an unknown field. */
export function knownFormat(given: string): string | null {
  if (given.toLowerCase() === "iso") return "iso";
  const format = given
    .trim()
    .replace(/%[aA][.,]* */g, "")
    .replace(/ ?%[zZ]/g, "")
    .replaceAll("%B", "%b")
    .replaceAll("%-", "%")
    .replaceAll("%F", "%Y-%m-%d")
    .replaceAll("%T", "%H:%M:%S")
    .replaceAll("%g", "%f")
    .replaceAll("%D", "%m/%d/%y")
    .replace(/(%[MSIf]) ?%p/, "$1 %p")
    .replace(/%.|[A-Z]/g, (part) => (part.length === 1 ? part.toLowerCase() : part));
  const fields = [...format.matchAll(/%(.)/g)].map(([, field = ""]) => field);
  const isKnown =
    fields.length > 0 && fields.every((field) => field in FIELDS) && new Set(fields).size === fields.length;
  return isKnown && (fields.includes("Y") || fields.includes("y") || fields.includes("H") || fields.includes("I"))
    ? format
    : null;
}

/** The regular expression that edited text of a pattern fits. */
export function guardOf(format: string): string {
  if (format === "iso") return ISO_TIME;
  return format.replace(/%(.)|[^%]/g, (character, field?: string) =>
    field === undefined ? escaped(character) : (FIELDS[field] ?? ""),
  );
}

/** Text as a regular expression that matches just this text. */
export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** Whether a pattern has a clock, and whether it has a date. */
export const hasClock = (format: string) => /%[HI]/.test(format);
export const hasDate = (format: string) => format === "iso" || /%[yY]/.test(format);

/** The pattern of a text, which is open where the text does not show which of two numbers is the day. */
export interface Written {
  /** The pattern of strptime, with "%1" and "%2" for the two numbers where it is open. */
  readonly format: string;
  readonly isOpen: boolean;
}

const CLOCK = /^(.*?)(^|[t ,]+| at )([0-9]{1,2}):[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?( [ap]m)?$/;

/** The pattern that a text, or a shape, fits; null where it is not a time. */
export function writtenAs(text: string): Written | null {
  const edited = editedTime(text);
  if (new RegExp(`^(${ISO_TIME})$`).test(edited)) return { format: "iso", isOpen: false };
  const ctime = /^([a-z]{3} [0-9]{1,2}) ([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?) ([0-9]{4})$/.exec(edited);
  if (ctime) return { format: `%b %d ${clockFormat(ctime[2] ?? "")} %Y`, isOpen: false };
  const basic = /^[0-9]{8}t([0-9]{4}|[0-9]{6})$/.exec(edited);
  if (basic) return { format: `%Y%m%dt%H%M${basic[1]?.length === 6 ? "%S" : ""}`, isOpen: false };
  const clock = CLOCK.exec(edited);
  const date = dateFormat(clock ? (clock[1] ?? "") : edited);
  if (clock && clock[1] === "") return { format: clockFormat(edited), isOpen: false };
  if (date === null) return null;
  const rest = clock
    ? `${clock[2] ?? ""}${clockFormat(edited.slice((clock[1] ?? "").length + (clock[2] ?? "").length))}`
    : "";
  return { ...date, format: `${date.format}${rest}` };
}

function clockFormat(text: string): string {
  const isHalf = /[ap]m$/.test(text);
  const colons = text.split(":").length - 1;
  return `${isHalf ? "%I" : "%H"}:%M${colons > 1 ? ":%S" : ""}${/[.][0-9]+( [ap]m)?$/.test(text) ? ".%f" : ""}${isHalf ? " %p" : ""}`;
}

function dateFormat(text: string): Written | null {
  const yearOf = (digits: string) => (digits.length === 4 ? "%Y" : "%y");
  const open = /^[0-9]{1,2}( ?[-/.] ?| )[0-9]{1,2}\1([0-9]{4}|[0-9]{2})$/.exec(text);
  if (open) return { format: `%1${open[1]}%2${open[1]}${yearOf(open[2] ?? "")}`, isOpen: true };
  const closed: readonly (readonly [RegExp, (match: readonly string[]) => string])[] = [
    [
      /^[0-9]{4}([-/. ])[0-9]{1,2}\1[0-9]{1,2}[.]?$/,
      ([all = "", mark = ""]) => `%Y${mark}%m${mark}%d${all.endsWith(".") ? "." : ""}`,
    ],
    [/^[0-9]{4}([-/.])[0-9]{1,2}$/, ([, mark = ""]) => `%Y${mark}%m`],
    [/^[0-9]{1,2}([-/.])[0-9]{4}$/, ([, mark = ""]) => `%m${mark}%Y`],
    [
      /^[0-9]{1,2}([-/. ,]*)[a-z]{3}([-/. ,]*)([0-9]{4}|[0-9]{2})$/,
      ([, a = "", b = "", y = ""]) => `%d${a}%b${b}${yearOf(y)}`,
    ],
    [/^[a-z]{3}([-/. ]*)[0-9]{1,2}([-/, ]+)([0-9]{4})$/, ([, a = "", b = ""]) => `%b${a}%d${b}%Y`],
    [/^[0-9]{4}([-/. ]*)[a-z]{3}([-/. ]*)[0-9]{1,2}$/, ([, a = "", b = ""]) => `%Y${a}%b${b}%d`],
    [/^[a-z]{3}([-/., ]*)[0-9]{4}$/, ([, mark = ""]) => `%b${mark}%Y`],
    [/^[0-9]{4}([-/., ]*)[a-z]{3}$/, ([, mark = ""]) => `%Y${mark}%b`],
  ];
  for (const [pattern, formatOf] of closed) {
    const match = pattern.exec(text);
    if (match && hasMonth(text)) return { format: formatOf(match), isOpen: false };
  }
  return null;
}

/** Whether the letters of a date, where it has any, are the name of a month. */
function hasMonth(text: string): boolean {
  const word = /[a-z]+/.exec(text)?.[0];
  return word === undefined || new RegExp(`^(${MONTHS})$`).test(word);
}
