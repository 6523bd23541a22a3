/**
 * Rules on imports: the arrows between folders, and nothing computed that `deno compile` could not embed.
 * @module
 */
import { literalText, repositoryPath } from "./_files.ts";
import { arrowProblem, resolveSpecifier } from "./layers.ts";

export const importArrows: Deno.lint.Rule = {
  create(ctx) {
    const file = repositoryPath(ctx.filename);
    if (file === undefined) return {};
    const check = (node: Deno.lint.Node, source: Deno.lint.Node | null | undefined): void => {
      const specifier = source ? literalText(source) : undefined;
      const target = specifier === undefined ? undefined : resolveSpecifier(file, specifier);
      const problem = target === undefined ? undefined : arrowProblem(file, target);
      if (problem === undefined) return;
      ctx.report({ node, message: `"${file}" imports "${target}": ${problem}`, hint: "See tools/lint/layers.ts" });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      TSImportType: (node) => check(node, node.argument.type === "TSLiteralType" ? node.argument.literal : null),
    };
  },
};

export const literalImport: Deno.lint.Rule = {
  create(ctx) {
    const file = repositoryPath(ctx.filename);
    if (file === undefined || /^(tests|tools)\//.test(file)) return {};
    return {
      ImportExpression(node) {
        if (literalText(node.source) !== undefined) return;
        ctx.report({
          node,
          message: "A computed import is not embedded by `deno compile`",
          hint: "Write the specifier out; only the loader of external plugins may compute one, and says why",
        });
      },
    };
  },
};
