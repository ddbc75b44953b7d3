// The answer as Markdown, for the channel of an incident. Times are UTC.
import { formatCount, shownName } from "../format";
import { causeText, confidenceText, plainText, type Cause } from "../cause";
import { changeOfSuspect } from "./other_changes";
import { timelineOf } from "./timeline";

// Text from outside stays text: on one line, without marks of Markdown.
export function escapeMarkdown(text: string): string {
    return shownName(text.replace(/\s+/g, " ")).replace(/[\\`*_[\]<>#|~!]/g, "\\$&");
}

function utc(time: string): string {
    return new Date(time).toISOString().slice(0, 16).replace("T", " ") + " UTC";
}

const EVIDENCE = 5;
const EVENTS = 10;

function impactLine(impact: Cause["impact"][number]): string {
    const name = `${escapeMarkdown(impact.component)} ${escapeMarkdown(impact.operation)}`;
    const failed = `${formatCount(impact.failed)} of ${formatCount(impact.requests)} requests failed`;
    const before = `${formatCount(impact.failedBefore)} of ${formatCount(impact.requestsBefore)} before`;
    return `- ${name}: ${failed} (${before})`;
}

export function causeMarkdown(cause: Cause, scopeText: string, link?: string): string {
    const [first] = cause.suspects;
    const lines: string[] = [];
    const window = `${utc(cause.window.startTime)} to ${utc(cause.window.endTime)}`;
    if (cause.found && first) {
        const since = first.onset ? ` since ${utc(first.onset)}` : "";
        lines.push(
            `**${escapeMarkdown(first.component)}** is likely to blame${since}: ` +
                `${escapeMarkdown(causeText(first))} (${confidenceText(cause.confidence)})`,
        );
        const change = changeOfSuspect(cause);
        if (change)
            lines.push("", `It changed before: ${escapeMarkdown(change.text)}, ${utc(change.timestamp)}`);
        if (cause.path.length > 1)
            lines.push("", "Spread: " + cause.path.map((step) => escapeMarkdown(step.component)).join(" → "));
        if (cause.impact.length > 0) lines.push("", "Users:", ...cause.impact.map(impactLine));
        lines.push(
            "",
            "Evidence:",
            ...first.evidence.slice(0, EVIDENCE).map((item) => `- ${escapeMarkdown(plainText(item.text))}`),
        );
    } else lines.push("No component stands out against the time before.");
    const events = timelineOf(cause).filter((entry) => entry.kind === "change" || entry.kind === "remark");
    if (events.length > 0)
        lines.push(
            "",
            "Changes:",
            ...events
                .slice(-EVENTS)
                .map(
                    ({ at, component, text }) =>
                        `- ${utc(at)} ${component ? escapeMarkdown(component) + ": " : ""}${escapeMarkdown(text)}`,
                ),
        );
    lines.push("", `Scope: ${escapeMarkdown(scopeText)}, ${window}`);
    if (link) lines.push(link);
    return lines.join("\n") + "\n";
}
