// Builds the Backstage app into dev/dist, with the plugin as npm packs it:
//   node build.mjs
// Addresses are put in by serve.mjs.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const config = {
    app: { title: "Portal", baseUrl: "http://localhost" },
    backend: { baseUrl: "http://localhost" },
    organization: { name: "Portal" },
};

// The packed file, as an app would install it.
const installed = join(here, "node_modules", "@callboard", "backstage-plugin");
await rm(join(here, "node_modules"), { recursive: true, force: true });
await mkdir(installed, { recursive: true });
const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", join(here, "node_modules")];
execFileSync("npm", pack, { cwd: join(here, ".."), stdio: "ignore" });
const [packed] = (await readdir(join(here, "node_modules"))).filter((name) => name.endsWith(".tgz"));
execFileSync("tar", ["-xzf", join(here, "node_modules", packed), "--strip-components=1", "-C", installed]);

await rm(join(here, "dist"), { recursive: true, force: true });
await mkdir(join(here, "dist"), { recursive: true });
await build({
    absWorkingDir: here,
    entryPoints: { new: "src/new.tsx", old: "src/old.tsx" },
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    target: ["es2022"],
    jsx: "automatic",
    minify: true,
    // Its other build needs streams of Node.
    alias: { "csv-stringify/lib/sync": "csv-stringify/lib/browser/sync.js" },
    loader: {
        ".svg": "dataurl",
        ".woff": "dataurl",
        ".woff2": "dataurl",
        ".png": "dataurl",
        ".ttf": "dataurl",
    },
    define: {
        global: "globalThis",
        "process.env.NODE_ENV": '"production"',
        "process.env.HAS_REACT_DOM_CLIENT": "true",
        "process.env.APP_CONFIG": JSON.stringify([{ data: config, context: "dev" }]),
        "process.env.EXPERIMENTAL_APP_CONFIG": "undefined",
        "process.env.BUILD_INFO": "{}",
    },
    logLevel: "warning",
});
const page = (name) =>
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Portal</title><!--config--><base href="/"><link rel="stylesheet" href="${name}.css"><script type="module" src="${name}.js"></script></head><body><div id="root"></div></body></html>\n`;
await writeFile(join(here, "dist", "new.html"), page("new"));
await writeFile(join(here, "dist", "old.html"), page("old"));
