// The dashboards in the tree.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export function dashboards(folder = process.env.DASHBOARDS) {
  return readdirSync(folder).filter((file) => file.endsWith(".json")).sort().map((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    return { file, text, dashboard: JSON.parse(text) };
  });
}

// Without rows; those of collapsed rows, too.
export function panels(dashboard) {
  return dashboard.panels.flatMap((panel) => (panel.type === "row" ? panel.panels : [panel]));
}

export function rows(dashboard) {
  return dashboard.panels.filter(({ type }) => type === "row");
}
