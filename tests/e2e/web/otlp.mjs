// Bodies of OTLP/HTTP in JSON, for Server.send.
const value = (v) =>
  typeof v === "number" ? (Number.isInteger(v) ? { intValue: String(v) } : { doubleValue: v }) : { stringValue: String(v) };

const attributes = (map) => Object.entries(map).map(([key, v]) => ({ key, value: value(v) }));

const nano = (ms) => String(BigInt(Math.round(ms * 1000)) * 1000n);

// {namespace, project, component, environment}: as a control plane stamps them.
export function resource({ namespace, project, component, environment, ...more }) {
  const stamp = {
    "service.name": component,
    "openchoreo.dev/namespace": namespace,
    "openchoreo.dev/project": project,
    "openchoreo.dev/component": component,
  };
  if (environment)
    stamp["openchoreo.dev/environment"] = environment;
  return { attributes: attributes({ ...stamp, ...more }) };
}

// records: [{at (ms), body, level, traceId, spanId, attributes}]
export function logs(scope, records) {
  const severity = { DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17 };
  return {
    resourceLogs: [{
      resource: resource(scope),
      scopeLogs: [{
        logRecords: records.map((r) => ({
          timeUnixNano: nano(r.at),
          severityNumber: severity[r.level ?? "INFO"],
          severityText: r.level ?? "INFO",
          body: { stringValue: r.body },
          traceId: r.traceId,
          spanId: r.spanId,
          attributes: attributes(r.attributes ?? {}),
        })),
      }],
    }],
  };
}

// spans: [{traceId, spanId, parent, name, kind (server 2, client 3), at, ms, failed, attributes, events}]
export function spans(scope, list) {
  return {
    resourceSpans: [{
      resource: resource(scope),
      scopeSpans: [{
        spans: list.map((s) => ({
          traceId: s.traceId,
          spanId: s.spanId,
          parentSpanId: s.parent,
          name: s.name,
          kind: s.kind ?? 2,
          startTimeUnixNano: nano(s.at),
          endTimeUnixNano: nano(s.at + s.ms),
          status: s.failed ? { code: 2, message: s.failed === true ? "failed" : s.failed } : {},
          attributes: attributes(s.attributes ?? {}),
          events: s.events,
        })),
      }],
    }],
  };
}

// Names that break pages which trust them.
export const HOSTILE = {
  namespace: "acme<img src=x onerror=alert(1)>",
  project: "shop\u202eevil\u202c & \"quotes\" 'and' %3Cb%3E",
  component: "c".repeat(300),
  html: "<script>alert('component')</script>",
  control: "tab\tnew\nline\u0000nul\u001besc",
  rtl: "\u0645\u0631\u062d\u0628\u0627 \u202eabc",
};

// Requests and log lines of components with hostile names, within the ten minutes before "end".
export async function sendHostile(server, end) {
  const components = [HOSTILE.component, HOSTILE.html, HOSTILE.rtl, "tab\tand\u001besc", "../..", "a/b?c#d&e=f"];
  let n = 0;
  for (const component of components) {
    const scope = { namespace: HOSTILE.namespace, project: HOSTILE.project, component, environment: HOSTILE.html };
    const list = [];
    const lines = [];
    for (let i = 0; i < 40; i++) {
      n++;
      const traceId = n.toString(16).padStart(32, "a");
      const spanId = n.toString(16).padStart(16, "b");
      const at = end - 600_000 + i * 14_000;
      const route = i % 2 ? `/${HOSTILE.html}/{id}` : "/" + "long".repeat(100);
      list.push({
        traceId, spanId, at, ms: 5 + i, name: `GET ${route}`, failed: i % 4 === 0 && HOSTILE.html,
        attributes: { "http.request.method": "GET", "http.route": route, [HOSTILE.html]: HOSTILE.control },
      });
      lines.push({
        at: at + 1, level: i % 4 ? "INFO" : "ERROR", traceId, spanId,
        body: i % 3 ? HOSTILE.html + HOSTILE.control : HOSTILE.rtl + " " + "word".repeat(500),
        attributes: { [HOSTILE.html]: HOSTILE.rtl },
      });
    }
    await server.send("traces", spans(scope, list));
    await server.send("logs", logs(scope, lines));
  }
}
