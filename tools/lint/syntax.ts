/**
 * Rules on syntax (house rule 4): named exports, `#private`, no enum, no namespace.
 * @module
 */
import { repositoryPath } from "./_files.ts";

/** Files whose default export a loader asks for, by pattern. */
const DEFAULT_EXPORTS: readonly { files: RegExp; why: string }[] = [
  { files: /^tools\/lint_plugin\.ts$/, why: "`deno lint` loads the default export" },
  {
    files: /^(tests|docs)\/.*\b(external|example)s?\//,
    why: "the default export of an external plugin is its contract",
  },
];

export const noDefaultExport: Deno.lint.Rule = {
  create(ctx) {
    const file = repositoryPath(ctx.filename);
    if (file === undefined || DEFAULT_EXPORTS.some((rule) => rule.files.test(file))) return {};
    const report = (node: Deno.lint.Node): void =>
      ctx.report({ node, message: "A module has named exports only", hint: "Name what is exported" });
    return {
      ExportDefaultDeclaration: report,
      ExportSpecifier(node) {
        if (node.exported.type === "Identifier" && node.exported.name === "default") report(node);
      },
    };
  },
};

export const plainTypes: Deno.lint.Rule = {
  create(ctx) {
    if (repositoryPath(ctx.filename) === undefined || ctx.filename.endsWith(".d.ts")) return {};
    // Read from the text: the accessibility of a parameter property is not in the tree.
    const member = (node: Deno.lint.Node): void => {
      const found = /^(?:(?:static|override|readonly|declare|abstract)\s+)*(private|protected)\s/.exec(
        ctx.sourceCode.getText(node),
      );
      if (found) ctx.report({ node, message: `Write #name, not ${found[1]}` });
    };
    return {
      TSEnumDeclaration: (node) => ctx.report({ node, message: "Write a union of strings, not an enum" }),
      TSModuleDeclaration: (node) => ctx.report({ node, message: "Write a module, not a namespace" }),
      PropertyDefinition: member,
      // A private constructor has no spelling with #.
      MethodDefinition: (node) => node.kind === "constructor" ? undefined : member(node),
      TSParameterProperty: member,
    };
  },
};
