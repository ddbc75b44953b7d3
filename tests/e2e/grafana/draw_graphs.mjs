// Panels with axes as SVG: time series, heatmaps; and single values.
import { data, escapeHtml } from "./draw_fields.mjs";

const left = 62;
const bottom = 18;

function niceStep(span, ticks) {
  const rough = span / ticks;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((m) => m * power).find((step) => step >= rough);
}

function timeTicks(range, width) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((m) => m * 60e3);
  const step = steps.find((one) => ((range.to - range.from) / one) * 70 < width) ?? 1440 * 60e3;
  const ticks = [];
  for (let t = Math.ceil(range.from / step) * step; t <= range.to; t += step)
    ticks.push(t);
  return ticks;
}

// 0.500 req/s as 0.5 req/s: Grafana takes as many digits as the steps need.
function tickText(field, value) {
  return field.show(+value.toPrecision(6)).replace(/(\.\d*?)0+(?!\d)/, "$1").replace(/\.(?!\d)/, "");
}

// Series of several units have an axis each, as in Grafana: that of the first on
// the left, another on the right. x(t); y(v, unit).
function axes({ range, width, height, max, fields }) {
  const right = fields.size > 1 ? left : 6;
  const plot = { w: width - left - right, h: height - bottom - 6 };
  const x = (t) => left + ((t - range.from) / (range.to - range.from)) * plot.w;
  const tops = new Map();
  const y = (v, unit) => 6 + plot.h - (v / tops.get(unit)) * plot.h;
  let out = "";
  for (const [unit, field] of fields) {
    const isFirst = tops.size === 0;
    const most = max.get(unit);
    const step = niceStep(most, Math.max(2, Math.floor(plot.h / 34)));
    tops.set(unit, Math.ceil(most / step - 1e-9) * step);
    for (let v = 0; v <= tops.get(unit) + step / 2; v += step) {
      if (isFirst)
        out += `<line x1="${left}" x2="${width - right}" y1="${y(v, unit)}" y2="${y(v, unit)}" class="grid"/>`;
      if (isFirst || tops.size === 2)
        out += `<text x="${isFirst ? left - 5 : width - right + 5}" y="${y(v, unit) + 4}" class="tick" text-anchor="${isFirst ? "end" : "start"}">${escapeHtml(tickText(field, v))}</text>`;
    }
  }
  for (const t of timeTicks(range, plot.w).filter((one) => x(one) < width - 16))
    out += `<text x="${x(t)}" y="${height - 4}" class="tick" text-anchor="middle">${new Date(t).toISOString().slice(11, 16)}</text>`;
  return { x, y, out, right: width - right };
}

function stacked(series) {
  const sums = new Map();
  for (const one of series)
    one.points = one.points.map(([t, v]) => {
      const base = sums.get(t) ?? 0;
      sums.set(t, base + (v ?? 0));
      return [t, base + (v ?? 0), base];
    });
}

function drawSeries(one, x, y, custom, barWidth) {
  const points = one.points.filter(([, v]) => v !== null && v !== undefined && Number.isFinite(v));
  if (custom.drawStyle === "bars")
    return points.filter(([, v, base]) => v > base)
      .map(([t, v, base]) => `<rect class="mark" x="${x(t)}" width="${barWidth}" y="${y(v)}" height="${y(base) - y(v)}" fill="${one.color}" fill-opacity=".8"/>`).join("");
  if (custom.drawStyle === "points")
    return points.map(([t, v]) => `<circle class="mark" cx="${x(t)}" cy="${y(v)}" r="2.5" fill="${one.color}"/>`).join("");
  let out = "";
  let run = [];
  const flush = () => {
    if (run.length === 1)
      out += `<circle class="mark" cx="${x(run[0][0])}" cy="${y(run[0][1])}" r="2" fill="${one.color}"/>`;
    if (run.length > 1) {
      const path = run.map(([t, v]) => `${x(t).toFixed(1)},${y(v).toFixed(1)}`).join(" ");
      const dash = one.custom.lineStyle?.fill === "dash" ? ` stroke-dasharray="6 5"` : "";
      if (one.custom.fillOpacity)
        out += `<polygon points="${x(run[0][0])},${y(0)} ${path} ${x(run.at(-1)[0])},${y(0)}" fill="${one.color}" fill-opacity="${one.custom.fillOpacity / 100}"/>`;
      out += `<polyline class="mark" points="${path}" fill="none" stroke="${one.color}" stroke-width="${(one.custom.lineWidth ?? 1) * 1.3}"${dash}/>`;
    }
    run = [];
  };
  for (const [t, v] of one.points)
    if (v === null || v === undefined || !Number.isFinite(v)) flush();
    else run.push([t, v]);
  flush();
  return out;
}

function legend(all, height) {
  const series = all.filter(({ custom }) => !custom.hideFrom?.legend);
  if (!series.length)
    return "";
  return `<div class="legend" style="height:${height}px">${series.map((one) => `<span><i style="background:${one.color}"></i>${escapeHtml(one.name)}</span>`).join("")}</div>`;
}

export function timeseries(panel, frames, size, range, look, changes) {
  const series = [];
  for (const frame of frames) {
    const time = frame.fields.find(({ type }) => type === "time");
    for (const field of frame.fields.filter(({ type }) => type === "number"))
      series.push({ name: field.label, color: field.color, field, custom: field.config.custom ?? {},
        points: time.values.map((t, i) => [t, field.values[i], 0]) });
  }
  const custom = panel.fieldConfig.defaults.custom ?? {};
  if (custom.stacking?.mode === "normal")
    stacked(series);
  const numbers = series.flatMap(({ points }) => points.map(([, v]) => v)).filter((v) => Number.isFinite(v));
  if (!numbers.length)
    return null;
  // Letters are about 6.6 px wide; the legend has half of the panel at most.
  const letters = series.filter((one) => !one.custom.hideFrom?.legend).reduce((sum, { name }) => sum + name.length * 6.6 + 26, 0);
  const legendHeight = 18 * Math.min(Math.floor(size.h / 36), Math.ceil(letters / (size.w * 0.85)));
  const height = size.h - legendHeight;
  const unitOf = ({ field }) => field.config.unit ?? "";
  const fields = new Map();
  const max = new Map();
  for (const one of series) {
    const unit = unitOf(one);
    if (!fields.has(unit))
      fields.set(unit, one.field);
    max.set(unit, Math.max(max.get(unit) ?? 0, ...one.points.map(([, v]) => v).filter((v) => Number.isFinite(v)).map((v) => v * 1.05)));
  }
  for (const unit of fields.keys())
    max.set(unit, max.get(unit) || 1);
  const { x, y, out, right } = axes({ range, width: size.w, height, max, fields });
  const times = [...new Set(series.flatMap(({ points }) => points.map(([t]) => t)))].sort((a, b) => a - b);
  const gap = times.length > 1 ? Math.min(...times.slice(1).map((t, i) => t - times[i])) : 60e3;
  const barWidth = Math.max(1, x(range.from + gap) - x(range.from) - 1);
  const lines = changes.map((t) => `<line class="change" x1="${x(t)}" x2="${x(t)}" y1="6" y2="${height - bottom}"/>`).join("");
  const clip = `plot${panel.id}`;
  const drawn = series.map((one) => drawSeries(one, x, (v) => y(v, unitOf(one)), custom, barWidth)).join("");
  return `<svg width="${size.w}" height="${height}"><clipPath id="${clip}"><rect x="${left - 3}" y="0" width="${right - left + 6}" height="${height}"/></clipPath>`
    + `${out}<g clip-path="url(#${clip})">${lines}${drawn}</g></svg>${legend(series, legendHeight)}`;
}

export function heatmap(panel, frames, size, range) {
  const frame = frames.find(({ length }) => length);
  const time = frame?.fields.find(({ type }) => type === "time");
  const buckets = frame?.fields.filter(({ type }) => type === "number") ?? [];
  const max = Math.max(0, ...buckets.flatMap(({ values }) => values.filter((v) => v > 0)));
  if (!max)
    return null;
  const x = (t) => left + ((t - range.from) / (range.to - range.from)) * (size.w - left - 6);
  const rowHeight = (size.h - bottom - 6) / buckets.length;
  const width = Math.max(2, x(time.values[1] ?? time.values[0] + 60e3) - x(time.values[0]) - 1);
  let out = "";
  // Names that are numbers are values of the axis.
  const unit = data.getValueFormat(panel.options.yAxis.unit ?? "short");
  const nameOf = ({ label }) => (Number.isFinite(+label) ? data.formattedValueToString(unit(+label)) : label);
  buckets.forEach((bucket, row) => {
    const y = size.h - bottom - (row + 1) * rowHeight;
    if (row % Math.ceil(13 / rowHeight) === 0)
      out += `<text x="${left - 5}" y="${y + rowHeight}" class="tick" text-anchor="end">${escapeHtml(nameOf(bucket))}</text>`;
    bucket.values.forEach((v, i) => {
      if (v > 0)
        out += `<rect class="mark" x="${x(time.values[i])}" y="${y}" width="${width}" height="${Math.max(1, rowHeight - 1)}" fill="rgb(250,100,0)" fill-opacity="${(0.15 + 0.85 * Math.sqrt(v / max)).toFixed(2)}"/>`;
    });
  });
  for (const t of timeTicks(range, size.w - left).filter((one) => x(one) < size.w - 16))
    out += `<text x="${x(t)}" y="${size.h - 4}" class="tick" text-anchor="middle">${new Date(t).toISOString().slice(11, 16)}</text>`;
  return `<svg width="${size.w}" height="${size.h}">${out}</svg>`;
}

const reducers = {
  lastNotNull: (values) => values.at(-1),
  sum: (values) => values.reduce((a, b) => a + b, 0),
  mean: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  max: (values) => Math.max(...values),
};

export function stat(panel, frames, size) {
  const fields = frames.flatMap((frame) => frame.fields.filter(({ type }) => type === "number"));
  const shown = fields.map((field) => ({ field, values: field.values.filter((v) => v !== null && Number.isFinite(v)) }))
    .filter(({ values }) => values.length);
  if (!shown.length)
    return null;
  const [calc] = panel.options.reduceOptions.calcs;
  return shown.map(({ field, values }) => {
    const value = reducers[calc](values);
    const color = field.config.color?.mode === "thresholds" ? field.colorOf(value) : field.color;
    const max = Math.max(...values) || 1;
    const line = values.map((v, i) => `${(i / Math.max(1, values.length - 1)) * (size.w / shown.length)},${40 - (v / max) * 34}`).join(" ");
    const spark = panel.options.graphMode === "area" && values.length > 1
      ? `<svg class="spark" width="${size.w / shown.length}" height="42"><polyline points="${line}" fill="none" stroke="${color}"/></svg>` : "";
    return `<div class="stat" style="width:${size.w / shown.length}px">${shown.length > 1 ? `<small>${escapeHtml(field.label)}</small>` : ""}<b class="mark" style="color:${color}">${escapeHtml(field.show(value))}</b>${spark}</div>`;
  }).join("");
}
