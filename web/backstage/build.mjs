// Builds the plugin into dist/: ESM with the views of ui/ inside, everything of
// Backstage and React outside, styles as text.
import { build } from "esbuild";
import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

// "x.css?text": a bundled, minified stylesheet as a string.
const cssText = {
    name: "css-text",
    setup(builder) {
        builder.onResolve({ filter: /\.css\?text$/ }, async (args) => {
            const found = await builder.resolve(args.path.slice(0, -"?text".length), {
                kind: "import-statement",
                resolveDir: args.resolveDir,
            });
            return { path: found.path, namespace: "css-text" };
        });
        builder.onLoad({ filter: /.*/, namespace: "css-text" }, async ({ path }) => {
            const { outputFiles } = await build({
                entryPoints: [path],
                bundle: true,
                minify: true,
                write: false,
            });
            return { contents: outputFiles[0].text, loader: "text" };
        });
    },
};

const outside = JSON.parse(await readFile(join(here, "package.json"), "utf8"));
const external = [...Object.keys(outside.dependencies), ...Object.keys(outside.peerDependencies)];

await rm(join(here, "dist"), { recursive: true, force: true });
await build({
    absWorkingDir: here,
    entryPoints: ["src/index.ts", "src/alpha.tsx"],
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    target: ["es2022"],
    minify: true,
    jsx: "automatic",
    external: external.flatMap((name) => [name, `${name}/*`]),
    plugins: [cssText],
    define: { "process.env.NODE_ENV": '"production"' },
    legalComments: "none",
    logLevel: "warning",
});
