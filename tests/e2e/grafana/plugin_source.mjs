// The class DataSource of simpod-json-datasource from a folder with its source
// (src/ of the plugin; it is on no registry), compiled here, with what Grafana
// gives it: a template service and a backend that sends real requests.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import Module from "node:module";
import { dirname, join } from "node:path";
import { from } from "rxjs";
import ts from "typescript";
import "./grafana_data.mjs";
import { replace } from "./grafana_client.mjs";

const variable = /\$(\w+)|\$\{(\w+)(?:\.([^:}]+))?(?::([^}]+))?\}/g;

// Grafana's own modules, as far as the class uses them when it runs.
function runtime(base, state, data) {
  async function send({ url, method, headers, data: body }) {
    const path = url.replace(/^\/api\/datasources\/uid\/\w+\/resources/, base);
    const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok)
      throw { status: response.status, statusText: response.statusText, data: answer };
    return { status: response.status, data: answer };
  }
  const templates = {
    regex: variable,
    replace: (text, scoped, format) => replace(text, { ...state.values, ...scoped }, format ?? "raw"),
    getVariables: () => state.variables,
    getAdhocFilters: () => [],
  };
  class DataSourceApi {
    constructor(settings) {
      Object.assign(this, { name: settings.name, id: settings.id, type: settings.type, uid: settings.uid });
    }
  }
  return {
    "@grafana/data": { ...data, DataSourceApi, CustomVariableSupport: class {} },
    "@grafana/runtime": {
      getTemplateSrv: () => templates,
      getBackendSrv: () => ({ fetch: (options) => from(send(options)), datasourceRequest: send }),
      DataSourceWithBackend: DataSourceApi,
    },
    // Of ts-pattern what getVariables() uses.
    "ts-pattern": {
      P: { union: (...of) => ({ of }) },
      match: (value) => {
        let result;
        let done = false;
        const chain = {
          with: (pattern, then) => {
            const { of = [pattern.type] } = pattern.type;
            if (!done && of.includes(value.type))
              [result, done] = [then(value), true];
            return chain;
          },
          exhaustive: () => {
            if (!done)
              throw new Error(`Pattern matching error: no pattern matches value ${value.type}`);
            return result;
          },
        };
        return chain;
      },
    },
  };
}

// state: {values, variables} as dashboards have them; may change later.
export function loadPlugin(folder, base, state, data) {
  const out = join(process.cwd(), "plugin-source");
  rmSync(out, { recursive: true, force: true });
  for (const file of readdirSync(folder, { recursive: true }).filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".d.ts"))) {
    const to = join(out, file.replace(/\.tsx?$/, ".js"));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, ts.transpileModule(readFileSync(join(folder, file), "utf8"), {
      fileName: file,
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, jsx: ts.JsxEmit.React,
        esModuleInterop: true, useDefineForClassFields: false },
    }).outputText);
  }
  writeFileSync(join(out, "package.json"), '{"type": "commonjs"}');
  const given = runtime(base, state, data);
  const editors = new Proxy(function () {}, { get: (target, name) => (name === "__esModule" ? false : name === "prototype" ? target.prototype : editors), apply: () => editors });
  const load = Module._load;
  Module._load = function (name, ...rest) {
    if (name in given)
      return given[name];
    // Editors are not run.
    if (/^react($|\/)|^@grafana\/ui|^@emotion|\.css$|\/Component\//.test(name))
      return editors;
    return load.call(this, name, ...rest);
  };
  try {
    return createRequire(import.meta.url)(join(out, "DataSource.js")).DataSource;
  } finally {
    Module._load = load;
  }
}
