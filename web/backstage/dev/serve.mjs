// Serves dist with a fallback for its routes, and passes /api/proxy/callboard to a
// daemon: node serve.mjs PORT DAEMON_URL
import http from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const dist = join(dirname(fileURLToPath(import.meta.url)), "dist");
const [port, daemon] = process.argv.slice(2);
const PREFIX = "/api/proxy/callboard";
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html; charset=utf-8" };

function pass(request, response) {
    const target = new URL(daemon);
    const headers = { ...request.headers, host: target.host };
    delete headers.origin;
    const options = {
        host: target.hostname,
        port: target.port,
        path: request.url.slice(PREFIX.length),
        method: request.method,
        headers,
    };
    const onward = http.request(options, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
    });
    onward.on("error", () => response.writeHead(502).end());
    request.pipe(onward);
}

async function file(path, response) {
    const name = extname(path) ? normalize(path).replace(/^(\.\.[/\\])+/, "") : "index.html";
    try {
        const bytes = await readFile(join(dist, name));
        response
            .writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream" })
            .end(bytes);
    } catch {
        response.writeHead(404).end();
    }
}

http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (pathname.startsWith(PREFIX + "/")) pass(request, response);
    else void file(pathname, response);
}).listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/`));
