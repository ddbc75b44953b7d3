// What Grafana does with a dashboard until frames come: variables, their
// formats in texts, queries of the JSON plugin, of Prometheus.

const variable = /\$(\w+)|\$\{(\w+)(?:\.([^:}]+))?(?::([^}]+))?\}/g;

function regexEscape(text) {
  return text.replace(/[\\^$*+?.()|[\]{}/]/g, "\\$&");
}

const formats = {
  regex: (value) => (Array.isArray(value)
    ? value.length === 1 ? regexEscape(value[0]) : `(${value.map(regexEscape).join("|")})`
    : regexEscape(value)),
  json: (value) => JSON.stringify(value),
  pipe: (value) => [value].flat().join("|"),
  raw: (value) => [value].flat().join(","),
  // Prometheus: an escaped text, or a regular expression of many
  prometheus: (value) => (Array.isArray(value)
    ? value.length === 1 ? regexEscape(value[0]).replaceAll("\\", "\\\\") : `(${value.map((one) => regexEscape(one).replaceAll("\\", "\\\\")).join("|")})`
    : value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')),
};

// values: name -> {value, text, allValue?}: All with a value of its own is put
// in as it is, whatever the format.
export function replace(text, values, format) {
  return text.replace(variable, (match, a, b, path, own) => {
    const name = a ?? b;
    const found = values[name];
    if (found === undefined)
      return match;
    if (own === "queryparam")
      return [found.value].flat().map((one) => `var-${name}=${encodeURIComponent(one)}`).join("&");
    if (own === "text")
      return [found.text].flat().join(" + ");
    if (found.allValue !== undefined)
      return found.allValue;
    return formats[own ?? format](found.value);
  });
}

// simpod-json-datasource: builder and code.
function cleanMatch(match, values) {
  const text = replace(match, values, "json");
  return text[0] === '"' && text.at(-1) === '"' ? JSON.parse(text) : text;
}

export function processPayload(payload, editorMode, values) {
  try {
    if (typeof payload === "string" && editorMode !== "builder")
      return payload.trim() === "" ? {} : JSON.parse(payload.replace(variable, (match) => cleanMatch(match, values)));
    const object = typeof payload === "string" ? JSON.parse(payload) : { ...payload };
    for (const [key, value] of Object.entries(object))
      object[key] = Array.isArray(value)
        ? value.map((one) => replace(one.toString(), values, "regex"))
        : replace(value.toString(), values, "regex");
    return object;
  } catch {
    return {};
  }
}

function niceInterval(ms) {
  const nice = [1, 10, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 12e5, 18e5, 36e5, 72e5, 108e5, 216e5, 864e5];
  return nice.find((one) => ms <= one * 1.5) ?? 864e5;
}

function durationText(ms) {
  return ms % 1000 ? `${ms}ms` : `${ms / 1000}s`;
}

const unitMs = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

// "15m" -> ms
function durationMs(text) {
  return parseInt(text, 10) * unitMs[text.at(-1)];
}

export class Grafana {
  // range: {from, to} in ms
  constructor(base, range, { maxDataPoints = 600, headers = {} } = {}) {
    this.base = base;
    this.range = range;
    this.maxDataPoints = maxDataPoints;
    this.headers = { "content-type": "application/json", ...headers };
    this.intervalMs = niceInterval((range.to - range.from) / maxDataPoints);
    this.requests = 0;
    this.took = 0;
  }

  timeRange() {
    const [from, to] = [new Date(this.range.from).toISOString(), new Date(this.range.to).toISOString()];
    return { from, to, raw: { from, to } };
  }

  async send(path, options) {
    const start = performance.now();
    const response = await fetch(this.base + path, options);
    const text = await response.text();
    this.took += performance.now() - start;
    this.requests++;
    let body;
    try {
      body = JSON.parse(text);
    } catch {
      body = { message: text };
    }
    return { status: response.status, body, bytes: text.length };
  }

  post(path, body) {
    return this.send(path, { method: "POST", headers: this.headers, body: JSON.stringify(body) });
  }

  // Of one variable: [{text, value}].
  async options(model, values) {
    if (model.type === "custom")
      return model.options.filter(({ value }) => value !== "$__all");
    if (model.type !== "query")
      return [];
    const { query, format } = model.query;
    const payload = format === "json" ? JSON.parse(replace(query, values, "json")) : { target: replace(query, values, "regex") };
    const { status, body } = await this.post("/grafana/variable", { payload, range: this.timeRange() });
    if (status !== 200)
      throw new Error(`/variable ${JSON.stringify(payload)}: ${status} ${JSON.stringify(body)}`);
    return body.map((one) => ({ text: String(one.__text), value: String(one.__value) }));
  }

  // choose(model, options): a value, a list of values, "$__all" or undefined
  // for what the dashboard begins with. Returns name -> {value, text, allValue}.
  async variables(dashboard, choose = () => undefined) {
    const values = { ...this.globals() };
    for (const model of dashboard.templating.list) {
      const options = await this.options(model, values);
      let value = choose(model, options) ?? model.current?.value ?? options[0]?.value ?? "";
      if (value === "$__all" || (Array.isArray(value) && value[0] === "$__all"))
        values[model.name] = { value: options.map((one) => one.value), text: "All", allValue: model.allValue };
      else
        values[model.name] = { value, text: options.find((one) => one.value === value)?.text ?? value };
      values[model.name].options = options;
    }
    return values;
  }

  globals() {
    const seconds = Math.round((this.range.to - this.range.from) / 1000);
    const rate = Math.max(this.intervalMs + 60e3, 4 * 60e3);
    const texts = {
      __interval: durationText(this.intervalMs), __interval_ms: String(this.intervalMs), __range: `${seconds}s`,
      __range_s: String(seconds), __range_ms: String(seconds * 1000), __rate_interval: durationText(rate),
      __from: String(this.range.from), __to: String(this.range.to),
    };
    return Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, { value, text: value, allValue: value }]));
  }

  scopedVars(values) {
    return Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith("__"))
      .map(([name, { text, value, allValue }]) => [name, { selected: false, text, value: allValue ?? value }]));
  }

  // The range that a dashboard begins with ("now-15m"), of what there is.
  static begin(dashboard, range) {
    return { from: Math.max(range.from, range.to - durationMs(dashboard.time.from.slice(4))), to: range.to };
  }

  // A panel may have a range of its own, up to now.
  rangeOf(panel) {
    return panel.timeFrom ? { from: this.range.to - durationMs(panel.timeFrom), to: this.range.to } : this.range;
  }

  // Answers of a panel: [{status, frames (not yet through toDataFrame), error}].
  async panel(panel, values, { code = false, filters = [] } = {}) {
    if (panel.timeFrom) {
      const other = new Grafana(this.base, this.rangeOf(panel), this);
      const answers = await other.panel({ ...panel, timeFrom: undefined }, { ...values, ...other.globals() }, { code, filters });
      this.requests += other.requests;
      this.took += other.took;
      return answers;
    }
    const json = panel.targets.filter(({ datasource }) => datasource.type === "simpod-json-datasource");
    const answers = [];
    if (json.length)
      answers.push(await this.json(panel, json, values, code, filters));
    for (const target of panel.targets.filter(({ datasource }) => datasource.type === "prometheus"))
      answers.push(await this.prometheus(target, values));
    return answers;
  }

  async json(panel, targets, values, code, filters) {
    const maxDataPoints = panel.maxDataPoints ?? this.maxDataPoints;
    const intervalMs = niceInterval((this.range.to - this.range.from) / maxDataPoints);
    const request = {
      app: "dashboard", requestId: `Q${this.requests}`, timezone: "browser", panelId: panel.id, panelPluginId: panel.type,
      dashboardUID: "callboard", range: this.timeRange(), rangeRaw: this.timeRange().raw, interval: durationText(intervalMs),
      intervalMs, maxDataPoints, startTime: Date.now(), filters,
      targets: targets.map((target) => ({
        ...target,
        target: replace(target.target, values, "regex"),
        ...(code ? { editorMode: "code" } : {}),
        payload: code
          ? processPayload(JSON.stringify(target.payload, null, 1), "code", values)
          : processPayload(target.payload, target.editorMode, values),
      })),
      scopedVars: this.scopedVars(values),
    };
    const { status, body, bytes } = await this.post("/grafana/query", request);
    return { status, bytes, frames: status === 200 ? body : [], error: status === 200 ? undefined : body.message ?? JSON.stringify(body) };
  }

  async prometheus(target, values) {
    const stepMs = Math.max(this.intervalMs, 60e3);
    const form = new URLSearchParams({ query: replace(target.expr, values, "prometheus") });
    if (target.instant) {
      form.set("time", String(this.range.to / 1000));
    } else {
      form.set("start", String(Math.floor(this.range.from / stepMs) * stepMs / 1000));
      form.set("end", String(Math.floor(this.range.to / stepMs) * stepMs / 1000));
      form.set("step", String(stepMs / 1000));
    }
    const { status, body, bytes } = await this.send(`/prometheus/api/v1/${target.instant ? "query" : "query_range"}`, {
      method: "POST", body: form, headers: { ...this.headers, "content-type": "application/x-www-form-urlencoded" },
    });
    if (status !== 200 || body.status !== "success")
      return { status, bytes, frames: [], error: body.error ?? JSON.stringify(body), expr: form.get("query") };
    const number = (text) => ({ "+Inf": Infinity, "-Inf": -Infinity }[text] ?? Number(text));
    const frames = body.data.result.map(({ metric, value, values: points = [value] }) => ({
      refId: target.refId,
      fields: [
        { name: "Time", type: "time", values: points.map(([time]) => time * 1000), config: {} },
        { name: "Value", type: "number", values: points.map(([, text]) => number(text)), labels: metric,
          config: { displayNameFromDS: target.legendFormat.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, label) => metric[label] ?? "") } },
      ],
    }));
    return { status, bytes, frames, expr: form.get("query") };
  }

  async annotations(dashboard, values) {
    const answers = [];
    for (const { target, name } of dashboard.annotations.list)
      answers.push({ name, ...(await this.json({ id: -1, type: "annotations" }, [target], values, false, [])) });
    return answers;
  }
}
