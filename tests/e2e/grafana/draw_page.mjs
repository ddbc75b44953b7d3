// A dashboard as one HTML page, in Grafana's grid.
import { escapeHtml, notices, prepare, theme } from "./draw_fields.mjs";
import { replace } from "./grafana_client.mjs";
import * as graphs from "./draw_graphs.mjs";
import * as lists from "./draw_lists.mjs";

const draw = { ...graphs, ...lists };
const cell = 30;
const gap = 8;

const style = (c, dark) => `
* { box-sizing: border-box } body { margin: 0; font: 12px sans-serif; background: ${c.background.canvas}; color: ${c.text.primary} }
header { padding: 10px 14px; height: 62px } header b { font-size: 16px } header span { margin-right: 14px; color: ${c.text.secondary} }
.panel { position: absolute; background: ${c.background.primary}; border: 1px solid ${c.border.weak}; border-radius: 2px; overflow: hidden }
.panel h2 { font-size: 13px; font-weight: 500; margin: 0; padding: 7px 8px 4px; height: 28px; white-space: nowrap; overflow: hidden }
.row { position: absolute; font-size: 15px; font-weight: 500; padding: 5px 2px }
.inside { padding: 0 6px; overflow: hidden } .none { color: ${c.text.secondary}; text-align: center; padding-top: 24px; font-size: 13px }
.error { color: ${c.error.text}; padding: 12px; white-space: pre-wrap } .notice { color: ${c.warning.text}; font-weight: 400; font-size: 11px }
.grid { stroke: ${c.border.weak} } .tick { fill: ${c.text.secondary}; font-size: 10px } .title { fill: ${c.text.primary}; font-size: 11px }
.change { stroke: #5794f2; stroke-dasharray: 3 3 } .edge { stroke: ${dark ? "#5a5f6b" : "#b4b7bd"} } .node { fill: ${c.background.primary}; stroke: ${c.border.medium} } .stat-text { fill: ${c.text.primary}; font-size: 8px }
.legend { overflow: hidden } .legend span { display: inline-block; margin-right: 10px; line-height: 18px; white-space: nowrap } .legend i { display: inline-block; width: 12px; height: 4px; margin: 0 5px 3px 0; border-radius: 2px }
.stat { position: relative; float: left; height: 100% } .stat b { position: absolute; top: 6px; width: 100%; text-align: center; font-size: 34px; font-weight: 500 } .stat small { position: absolute; width: 100%; text-align: center } .spark { position: absolute; bottom: 0; left: 0; opacity: .5 }
table { border-collapse: collapse; width: 100%; table-layout: auto } svg { display: block } td, th { height: 36px; text-align: left; padding: 0 6px; border-bottom: 1px solid ${c.border.weak}; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; max-width: 420px } th { color: ${c.text.link}; font-weight: 500 } .number { text-align: right } td.wrap { white-space: normal; max-width: none } a { color: ${c.text.link} }
.logs { font: 11px monospace } .logs div { white-space: nowrap; line-height: 18px } .logs.wrap div { white-space: normal } .logs i { display: inline-block; width: 3px; height: 14px; margin-right: 6px; vertical-align: middle } .logs time { color: ${c.text.secondary}; margin-right: 10px }
.trace > div { display: flex; height: 20px } .trace > div > span { width: 40%; overflow: hidden; white-space: nowrap; text-overflow: ellipsis } .trace > div > div { position: relative } .trace i { position: absolute; top: 5px; height: 9px; background: #5794f2 } .trace small { position: absolute; top: 3px; color: ${c.text.secondary} } .trace em { color: ${c.error.text}; font-weight: bold }
`;

function inside(panel, answers, size, range, look, changes) {
  const error = answers.find((answer) => answer.error)?.error;
  if (error)
    return { html: `<div class="error">${escapeHtml(error)}</div>` };
  const frames = prepare(panel, answers.flatMap((answer) => answer.frames), look);
  const told = notices(frames).map(({ text }) => text);
  const html = draw[panel.type](panel, frames, size, range, look, changes);
  return { told, html: html ?? `<div class="none">${escapeHtml(told[0] ?? panel.fieldConfig.defaults.noValue)}</div>`, marks: html !== null };
}

// answers: panel id -> answers of Grafana.panel(). Returns {html, height}.
export function page(dashboard, values, answers, { width, dark, range, changes = [] }) {
  const look = theme(dark);
  const top = 70;
  const column = (width - gap) / 24;
  let height = 0;
  const flat = dashboard.panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const box = { x: gap + x * column, y: top + y * (cell + gap), w: w * column - gap, h: h * (cell + gap) - gap };
    height = Math.max(height, box.y + box.h + gap);
    const place = `left:${box.x}px;top:${box.y}px;width:${box.w}px;height:${box.h}px`;
    if (panel.type === "row")
      return `<div class="row" style="${place}">${escapeHtml(panel.title)}</div>`;
    const size = { w: box.w - 14, h: box.h - 32 };
    const { html, told = [] } = inside(panel, answers.get(panel.id), size, range, look, changes);
    const notice = told.length ? ` <span class="notice" title="${escapeHtml(told.join("\n"))}">&#9888; ${escapeHtml(told[0])}</span>` : "";
    return `<div class="panel" data-id="${panel.id}" style="${place}"><h2>${escapeHtml(replace(panel.title, values, "raw"))}${notice}</h2><div class="inside" style="height:${size.h}px">${html}</div></div>`;
  });
  const bar = dashboard.templating.list.filter(({ type }) => type !== "datasource")
    .map(({ name, label }) => `<span>${escapeHtml(label)} <b style="font-size:12px">${escapeHtml([values[name].text].flat().join(" + "))}</b></span>`).join("");
  return { height, html: `<!doctype html><meta charset="utf-8"><style>${style(look.colors, dark)}</style><header><b>${escapeHtml(dashboard.title)}</b><br><br>${bar}</header>${flat.join("")}` };
}
