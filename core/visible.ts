/** Text that a terminal shows as it stands: what would drive the terminal is written as an escape. Pure. @module */

/** C0, DEL, C1, further line ends, and what turns the direction of writing. */
const DRIVES = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * Returns `text` with its control characters as escapes, such as `\u001b`; newlines and tabs stay. JSON stays JSON of
 * the same values, since there the escape means the character.
 */
export function visible(text: string): string {
  return text.replace(DRIVES, (found) => found === "\n" || found === "\t" ? found : escapeOf(found));
}

/** The same for what must stay on one line, such as a name: newlines and tabs are escaped too. */
export function visibleLine(text: string): string {
  return text.replace(DRIVES, escapeOf);
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
