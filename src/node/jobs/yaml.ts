/** Plain data as YAML, of which Kubernetes is given its objects. */

export type YamlValue =
  | string
  | number
  | boolean
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue | undefined };

/** Several documents as one file. Keys without a value are left out. */
export function yamlFile(comment: string, documents: readonly YamlValue[]): string {
  return `# ${comment}\n${documents.map((document) => `---\n${block(document, "")}\n`).join("")}`;
}

function block(value: YamlValue, indent: string): string {
  if (Array.isArray(value)) {
    return value
      .map((item: YamlValue) => `${indent}- ${block(item, `${indent}  `).slice(indent.length + 2)}`)
      .join("\n");
  }
  if (typeof value !== "object") return `${indent}${scalar(value)}`;
  return Object.entries(value)
    .filter((entry): entry is [string, YamlValue] => entry[1] !== undefined)
    .map(([key, inner]) =>
      typeof inner === "object"
        ? `${indent}${scalar(key)}:\n${block(inner, `${indent}  `)}`
        : `${indent}${scalar(key)}: ${scalar(inner)}`,
    )
    .join("\n");
}

/** Words that no version of YAML takes for anything but text, unless it has a meaning for them. */
const PLAIN = /^[A-Za-z/][\w./-]*$/;
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

/** A text that could be read as something else is written in double quotes, with every character beyond ASCII as a number. */
function scalar(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  if (PLAIN.test(value) && !RESERVED.test(value)) return value;
  return JSON.stringify(value).replace(/[^ -~]/gu, (character) => {
    const hex = (character.codePointAt(0) ?? 0).toString(16);
    return hex.length > 4 ? `\\U${hex.padStart(8, "0")}` : `\\u${hex.padStart(4, "0")}`;
  });
}
