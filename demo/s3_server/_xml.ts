/** What an XML element may hold: text, elements, or elements of one name in a list. */
export type XmlContent = string | number | boolean | undefined | XmlContent[] | { [name: string]: XmlContent };

function escape(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[&<>"\x00-\x1f]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Returns one element; a list becomes one element for each entry, undefined none. */
export function xml(name: string, content: XmlContent): string {
  if (content === undefined) return "";
  if (Array.isArray(content)) return content.map((entry) => xml(name, entry)).join("");
  const inner = typeof content === "object"
    ? Object.entries(content).map(([child, value]) => xml(child, value)).join("")
    : escape(String(content));
  return `<${name}>${inner}</${name}>`;
}

export function xmlResponse(body: string, status = 200): Response {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`, {
    status,
    headers: { "content-type": "application/xml" },
  });
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Returns the text of the first element of that name in `source`, entities resolved. */
export function textOf(source: string, name: string): string | undefined {
  const match = new RegExp(`<${name}>([^<]*)</${name}>`).exec(source);
  return match?.[1].replace(
    /&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g,
    (all, dec, hex, entity) =>
      dec ? String.fromCodePoint(Number(dec)) : hex ? String.fromCodePoint(parseInt(hex, 16)) : ENTITIES[entity] ?? all,
  );
}

/** Returns the inner text of every element of that name. */
export function elementsOf(source: string, name: string): string[] {
  return Array.from(source.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "gs")), (match) => match[1]);
}
