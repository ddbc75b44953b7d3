// Builds the plugin into dist/: ESM with the views of ui/ inside, everything of
// Backstage and React outside, styles as text; and its types. dist/meta.json says
// what is in which file; it is not published.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
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
const { metafile } = await build({
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
    metafile: true,
    logLevel: "warning",
});
await writeFile(join(here, "dist", "meta.json"), JSON.stringify(metafile.outputs));

// The types of what is exported: they name nothing of ui/, which is not published.
const PUBLIC = ["index", "alpha", "api", "callboard_api", "target"];
const types = await mkdtemp(join(tmpdir(), "callboard-types-"));
try {
    const emit = ["--declaration", "--emitDeclarationOnly", "--noEmit", "false", "--outDir", types];
    const tsc = join(here, "node_modules", "typescript", "bin", "tsc");
    execFileSync(process.execPath, [tsc, "-p", here, ...emit, "--rootDir", join(here, "..")], {
        stdio: "inherit",
    });
    for (const name of PUBLIC) {
        const file = join(types, "backstage", "src", `${name}.d.ts`);
        const text = await readFile(file, "utf8");
        for (const [, other] of text.matchAll(/(?:import\(|from )"\.\/(\w+)"|@callboard\/ui/g))
            if (!PUBLIC.includes(other)) throw new Error(`${name}.d.ts needs what is not published`);
        await cp(file, join(here, "dist", `${name}.d.ts`));
    }
} finally {
    await rm(types, { recursive: true });
}
