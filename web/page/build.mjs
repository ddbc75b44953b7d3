// Builds the page into web/dist: index.html, and assets/ whose names carry their
// hash. The same sources give the same bytes.
import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "dist");

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
const { metafile } = await build({
    absWorkingDir: here,
    entryPoints: { page: "src/main.tsx", icon: "icon.svg" },
    outdir: join(dist, "assets"),
    bundle: true,
    splitting: true,
    format: "esm",
    target: ["es2022"],
    minify: true,
    jsx: "automatic",
    loader: { ".svg": "copy" },
    entryNames: "[name]-[hash]",
    chunkNames: "part-[hash]",
    assetNames: "[name]-[hash]",
    define: { "process.env.NODE_ENV": '"production"' },
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
});

const outputs = Object.keys(metafile.outputs).map((path) => relative(dist, join(here, path)));
const one = (pattern) => {
    const found = outputs.filter((path) => pattern.test(basename(path)));
    if (found.length !== 1) throw new Error(`${found.length} files of ${pattern}`);
    return found[0];
};
const html = (await readFile(join(here, "index.html"), "utf8"))
    .replace("%script%", one(/^page-.*\.js$/))
    .replace("%style%", one(/^page-.*\.css$/))
    .replace("%icon%", one(/^icon-.*\.svg$/));
await writeFile(join(dist, "index.html"), html);
