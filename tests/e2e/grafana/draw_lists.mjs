// Tables, log lines, traces as HTML; graphs of calls as SVG.
import { escapeHtml } from "./draw_fields.mjs";

function cell(field, value) {
  const type = field.config.custom?.cellOptions?.type;
  let text = field.type === "time" ? (value ? new Date(value).toISOString().slice(0, 19).replace("T", " ") : "")
    : field.type === "other" ? JSON.stringify(value) : field.show(value);
  text = escapeHtml(text);
  if (field.config.links?.length && text)
    text = `<a>${text}</a>`;
  const style = type === "color-text" ? ` style="color:${field.colorOf(value)}"`
    : type === "color-background" && value !== null ? ` style="background:${field.colorOf(value)};color:#fff"` : "";
  const wrap = field.config.custom?.cellOptions?.wrapText ? "wrap" : "";
  return `<td class="${field.type === "number" ? "number" : wrap}"${style}>${text}</td>`;
}

export function table(panel, frames) {
  const frame = frames.find(({ length }) => length);
  if (!frame)
    return null;
  const fields = frame.fields.filter(({ config }) => !config.custom?.hidden);
  const width = (field) => (field.config.custom?.width ? ` style="width:${field.config.custom.width}px"` : "");
  const head = panel.options.showHeader === false ? ""
    : `<tr>${fields.map((field) => `<th class="${field.type === "number" ? "number" : ""}"${width(field)}>${escapeHtml(field.label)}</th>`).join("")}</tr>`;
  const body = Array.from({ length: Math.min(frame.length, 60) }, (_, i) =>
    `<tr class="mark">${fields.map((field) => cell(field, field.values[i])).join("")}</tr>`).join("");
  return `<table>${head}${body}</table>`;
}

const levelColors = { fatal: "#b877d9", critical: "#b877d9", error: "#e02f44", warn: "#ff9830", warning: "#ff9830", info: "#73bf69", debug: "#5794f2", trace: "#6ed0e0" };

export function logs(panel, frames) {
  const frame = frames.find(({ length }) => length);
  if (!frame)
    return null;
  const of = (...names) => frame.fields.find(({ name }) => names.includes(name));
  const [time, body, level] = [of("timestamp", "time"), of("body", "line"), of("severity", "level")];
  const wrap = panel.options.wrapLogMessage ? " wrap" : "";
  return `<div class="logs${wrap}">${Array.from({ length: Math.min(frame.length, 60) }, (_, i) =>
    `<div class="mark"><i style="background:${levelColors[String(level?.values[i]).toLowerCase()] ?? "#8e8e8e"}"></i><time>${new Date(time.values[i]).toISOString().slice(0, 19).replace("T", " ")}</time>${escapeHtml(body.values[i])}</div>`).join("")}</div>`;
}

export function traces(panel, frames, size) {
  const frame = frames.find(({ length }) => length);
  if (!frame)
    return null;
  const of = (name) => frame.fields.find((field) => field.name === name)?.values;
  const [ids, parents, names, services, starts, durations, status] =
    ["spanID", "parentSpanID", "operationName", "serviceName", "startTime", "duration", "statusCode"].map(of);
  const first = Math.min(...starts);
  const last = Math.max(...starts.map((start, i) => start + durations[i]));
  const known = new Set(ids);
  const children = new Map();
  ids.forEach((id, i) => {
    const parent = known.has(parents[i]) ? parents[i] : "";
    children.set(parent, [...(children.get(parent) ?? []), i]);
  });
  const lines = [];
  const walk = (parent, depth) => {
    for (const i of (children.get(parent) ?? []).sort((a, b) => starts[a] - starts[b])) {
      lines.push({ i, depth });
      walk(ids[i], depth + 1);
    }
  };
  walk("", 0);
  const bar = (size.w - 12) * 0.6;
  return `<div class="trace">${lines.slice(0, 40).map(({ i, depth }) => {
    const x = ((starts[i] - first) / (last - first || 1)) * bar;
    const w = Math.max(2, (durations[i] / (last - first || 1)) * bar);
    return `<div class="mark"><span style="padding-left:${depth * 12}px">${status?.[i] === 2 ? "<em>!</em> " : ""}<b>${escapeHtml(services[i])}</b> ${escapeHtml(names[i])}</span><div style="width:${bar}px"><i style="left:${x}px;width:${w}px"></i><small style="left:${Math.min(x + w + 4, bar - 60)}px">${durations[i].toFixed(2)} ms</small></div></div>`;
  }).join("")}</div>`;
}

// Columns by distance from those that nobody calls, as Grafana's layered layout.
function layers(nodes, edges) {
  const depth = new Map(nodes.map(({ id }) => [id, 0]));
  for (let round = 0; round < Math.min(nodes.length, 12); round++)
    for (const { source, target } of edges)
      if (source !== target && depth.get(target) < depth.get(source) + 1 && depth.get(source) + 1 < nodes.length)
        depth.set(target, Math.min(depth.get(source) + 1, 7));
  return depth;
}

export function nodeGraph(panel, frames, size) {
  const has = (frame, name) => frame.fields.some((field) => field.name === name);
  const edgeFrame = frames.find((frame) => has(frame, "source") && has(frame, "target"));
  const nodeFrame = frames.find((frame) => frame !== edgeFrame && has(frame, "id"));
  if (!nodeFrame?.length)
    return null;
  const list = (frame) => Array.from({ length: frame.length }, (_, i) =>
    Object.fromEntries(frame.fields.map((field) => [field.name, field.type === "number" && !field.name.startsWith("arc__") && field.name !== "thickness" ? field.show(field.values[i]) : field.values[i]])));
  const nodes = list(nodeFrame);
  const edges = edgeFrame ? list(edgeFrame) : [];
  const arcs = nodeFrame.fields.filter(({ name }) => name.startsWith("arc__"));
  const depth = layers(nodes, edges);
  const columns = [...new Set(depth.values())].sort((a, b) => a - b);
  // Where nodes are close, their names are beside them.
  const most = Math.max(...columns.map((c) => nodes.filter(({ id }) => depth.get(id) === c).length));
  const beside = size.h / most < 62 && columns.length < 4;
  const room = beside ? 60 : 0;
  const at = new Map();
  for (const column of columns) {
    const inside = nodes.filter(({ id }) => depth.get(id) === column);
    inside.forEach((node, i) => at.set(node.id, {
      x: ((size.w - room) / columns.length) * (columns.indexOf(column) + 0.5 + (inside.length > 6 ? (i % 2 ? 0.2 : -0.2) : 0)),
      y: (size.h / inside.length) * (i + 0.5),
    }));
  }
  const radius = Math.max(10, Math.min(24, size.h / (Math.max(...columns.map((c) => [...depth.values()].filter((d) => d === c).length)) * 3.2)));
  const name = (x, y, node) => `<g text-anchor="${beside ? "start" : "middle"}"><text class="title" x="${x}" y="${y}">${escapeHtml(node.title ?? node.id)}</text>`
    + `<text class="tick" x="${x}" y="${y + 11}">${escapeHtml(node.subtitle ?? "")}</text></g>`;
  let out = "";
  for (const { source, target, mainstat, thickness } of edges) {
    const [a, b] = [at.get(source), at.get(target)];
    if (!a || !b)
      continue;
    out += `<line class="edge" x1="${a.x}" y1="${a.y}" x2="${b.x}" y2="${b.y}" stroke-width="${thickness ?? 1}"/>`
      + (mainstat ? `<text class="tick" text-anchor="middle" x="${(a.x + 2 * b.x) / 3}" y="${(a.y + 2 * b.y) / 3}">${escapeHtml(mainstat)}</text>` : "");
  }
  for (const node of nodes) {
    const { x, y } = at.get(node.id);
    let angle = -Math.PI / 2;
    out += `<circle class="mark node" cx="${x}" cy="${y}" r="${radius}"/>`;
    for (const arc of arcs) {
      const share = node[arc.name];
      if (!(share > 0))
        continue;
      const end = angle + Math.min(share, 0.9999) * 2 * Math.PI;
      const p = (a) => `${x + radius * Math.cos(a)},${y + radius * Math.sin(a)}`;
      out += `<path d="M${p(angle)} A${radius},${radius} 0 ${share > 0.5 ? 1 : 0} 1 ${p(end)}" fill="none" stroke-width="4" stroke="${arc.color}"/>`;
      angle = end;
    }
    out += `<text class="stat-text" text-anchor="middle" x="${x}" y="${y + (node.secondarystat ? -1 : 3)}">${escapeHtml(node.mainstat ?? "")}</text>`
      + (node.secondarystat ? `<text class="stat-text" text-anchor="middle" x="${x}" y="${y + 9}">${escapeHtml(node.secondarystat)}</text>` : "")
      + name(beside ? x + radius + 6 : x, beside ? y - 1 : y + radius + 12, node);
  }
  return `<svg width="${size.w}" height="${size.h}">${out}</svg>`;
}
