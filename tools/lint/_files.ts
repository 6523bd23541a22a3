/** Where a linted file stands, relative to the repository's root with `/` separators; undefined outside of it. */
export function repositoryPath(filename: string): string | undefined {
  const root = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(/^\/([A-Za-z]:)/, "$1");
  const file = filename.replaceAll("\\", "/");
  return file.startsWith(root) ? file.slice(root.length) : undefined;
}

/** Whether the file is part of the program (not a test, a tool, a benchmark or an example in the documentation). */
export function isProduct(file: string): boolean {
  return !/^(tests|tools|bench|docs)\//.test(file);
}

/** Returns the value of a string that is known without running the program. */
export function literalText(node: Deno.lint.Node): string | undefined {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type === "TemplateLiteral" && node.expressions.length === 0) return node.quasis[0].cooked;
  return undefined;
}

/** Returns `a.b` of a member expression on a plain name; computed string keys count. */
export function memberName(node: Deno.lint.MemberExpression): { object: string; property: string } | undefined {
  let object: string | undefined;
  if (node.object.type === "Identifier") object = node.object.name;
  else if (node.object.type === "MemberExpression") {
    const inner = memberName(node.object);
    if (inner?.object === "globalThis") object = inner.property;
  }
  const property = node.property.type === "Identifier" && !node.computed
    ? node.property.name
    : literalText(node.property);
  return object === undefined || property === undefined ? undefined : { object, property };
}
