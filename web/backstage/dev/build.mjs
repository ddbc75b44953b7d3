// Builds the Backstage app into dev/dist: node build.mjs BACKEND_URL [PAGE_URL]
import { build } from "esbuild";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [backend = "http://127.0.0.1:7007", pageUrl] = process.argv.slice(2);
const config = {
    app: { title: "Portal", baseUrl: backend },
    backend: { baseUrl: backend },
    organization: { name: "Portal" },
    ...(pageUrl ? { callboard: { pageUrl } } : {}),
};

await rm(join(here, "dist"), { recursive: true, force: true });
await mkdir(join(here, "dist"), { recursive: true });
await build({
    absWorkingDir: here,
    entryPoints: { app: "src/app.tsx" },
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
await writeFile(
    join(here, "dist", "index.html"),
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Portal</title><base href="/"><link rel="stylesheet" href="app.css"><script type="module" src="app.js"></script></head><body><div id="root"></div></body></html>\n`,
);
