// Serves the app of dist, and passes /api to a backend of Backstage:
//   node serve.mjs PORT BACKEND_URL [old|new] [TOKEN] [CONFIG]
// TOKEN: of the reader. CONFIG: JSON, added to the configuration of the app.
import http from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const dist = join(dirname(fileURLToPath(import.meta.url)), "dist");
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html; charset=utf-8" };

function pass(request, response, backend) {
    const target = new URL(backend);
    const { hostname: host, port } = target;
    const headers = { ...request.headers, host: target.host };
    const { method, url: path } = request;
    const onward = http.request({ host, port, path, method, headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
    });
    onward.on("error", () => response.writeHead(502).end());
    request.pipe(onward);
}

const escaped = (value) => JSON.stringify(value).replaceAll("<", "\\u003c");

async function file(path, response, { app, config, token }) {
    const name = extname(path) ? normalize(path).replace(/^(\.\.[/\\])+/, "") : `${app}.html`;
    try {
        let bytes = await readFile(join(dist, name));
        if (name.endsWith(".html"))
            bytes = bytes
                .toString()
                .replace(
                    "<!--config-->",
                    `<meta name="reader-token" content="${token}"><script type="backstage.io/config">${escaped([{ data: config, context: "test" }])}</script>`,
                );
        response.writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream" });
        response.end(bytes);
    } catch {
        response.writeHead(404).end();
    }
}

// options: backend (its URL), app ("old", "new"), token (of the reader), config (more of it).
export function serve(port, options) {
    const server = http.createServer((request, response) => {
        const base = `http://127.0.0.1:${server.address().port}`;
        const { pathname } = new URL(request.url, base);
        const config = {
            ...options.config,
            app: { ...options.config?.app, baseUrl: base },
            backend: { baseUrl: base },
        };
        if (pathname.startsWith("/api/")) pass(request, response, options.backend);
        else void file(pathname, response, { app: "new", token: "", ...options, config });
    });
    return new Promise((done) => server.listen(port, "127.0.0.1", () => done(server)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const [port, backend, app, token, config = "{}"] = process.argv.slice(2);
    const server = await serve(Number(port), { backend, app, token, config: JSON.parse(config) });
    console.log(`http://127.0.0.1:${server.address().port}/`);
}
