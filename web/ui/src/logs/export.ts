// Log lines as text or JSON.
import { downloadText } from "../parts/copy";
import type { LogEntry } from "./filters";
import { plainText } from "./text";

export type ExportForm = "text" | "json";

// A line as a terminal would show it, without its colours.
export function lineText(log: LogEntry): string {
    const name = log.metadata?.componentName;
    return [log.timestamp, log.level, name, plainText(log.log)].filter((part) => part).join(" ");
}

export function exported(logs: readonly LogEntry[], form: ExportForm): string {
    return form === "json" ? JSON.stringify(logs, null, 2) + "\n" : logs.map(lineText).join("\n") + "\n";
}

export function downloadLogs(logs: readonly LogEntry[], form: ExportForm): void {
    const type = form === "json" ? "application/json" : "text/plain;charset=utf-8";
    downloadText(form === "json" ? "logs.json" : "logs.txt", exported(logs, form), type);
}
