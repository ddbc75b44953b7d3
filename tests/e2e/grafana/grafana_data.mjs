// @grafana/data as the browser has it, in two major versions. It asks the
// browser for a few things while it loads; nothing here draws.
import { createRequire } from "node:module";

const silent = () => {};

globalThis.window ??= globalThis;
globalThis.self ??= globalThis;
globalThis.location ??= { search: "", pathname: "/", href: "http://localhost/", origin: "http://localhost" };
globalThis.navigator ??= { language: "en-GB", languages: ["en-GB"], userAgent: "" };
globalThis.addEventListener ??= silent;
globalThis.matchMedia ??= () => ({ matches: false, addEventListener: silent, addListener: silent });
globalThis.document ??= {
  createElement: () => ({ style: {}, getContext: () => null, setAttribute: silent, appendChild: silent }),
  addEventListener: silent,
  getElementsByTagName: () => [],
  querySelector: () => null,
  documentElement: { style: {} },
  head: { appendChild: silent },
  body: {},
};

const require = createRequire(import.meta.url);

export const versions = [
  { name: "@grafana/data 11.6.0", data: require("@grafana/data") },
  { name: "@grafana/data 12.0.0", data: require("grafana-data-12") },
];
