// The bar of a span in the shown time, with its part of the critical path, log
// records and events.
import { memo } from "react";
import { formatSeconds, shownName } from "../format";
import type { SpanExtras } from "./ask_trace";
import type { ReadLog, SpanNode } from "./spans";
import { shareOf, type TimeWindow } from "./window";

const percent = (share: number) => `${(share * 100).toFixed(3)}%`;

// Shares of the window that are critical; what is nearer than can be seen is one.
function criticalShares(parts: readonly number[], window: TimeWindow): [number, number][] {
    const shares: [number, number][] = [];
    // Parts go from the last to the first.
    for (let i = parts.length - 2; i >= 0; i -= 2) {
        const from = Math.max(0, shareOf(window, parts[i]!));
        const to = Math.min(1, shareOf(window, parts[i + 1]!));
        if (to <= 0 || from >= 1 || to <= from) continue;
        const before = shares[shares.length - 1];
        if (before && from - before[1] < 0.001) before[1] = Math.max(before[1], to);
        else shares.push([from, to]);
    }
    return shares;
}

const WORST: Record<string, number> = { FATAL: 5, ERROR: 4, WARN: 3, INFO: 2, DEBUG: 1 };

interface Dot {
    share: number;
    level: string;
    texts: string[];
}

// Dots that would lie on each other are one, of the worst level.
function logDots(logs: readonly ReadLog[], window: TimeWindow): Dot[] {
    const dots: Dot[] = [];
    for (const log of logs) {
        const share = shareOf(window, log.at);
        if (share < -0.001 || share > 1.001) continue;
        const before = dots[dots.length - 1];
        const text = `${log.level} ${shownName(log.text.slice(0, 300))}`;
        if (!before || share - before.share > 0.008) {
            dots.push({ share: Math.max(0, Math.min(1, share)), level: log.level, texts: [text] });
            continue;
        }
        if (before.texts.length < 5) before.texts.push(text);
        if ((WORST[log.level] ?? 0) > (WORST[before.level] ?? 0)) before.level = log.level;
    }
    return dots;
}

// Behind the bar; where there is no room, before it, or in it.
function Label(props: { node: SpanNode; left: number; right: number }) {
    const { left, right } = props;
    const text = formatSeconds(props.node.duration / 1e9);
    if (right <= 0.86)
        return (
            <span className="cb-bar-label" style={{ left: percent(right) }}>
                {text}
            </span>
        );
    if (left > 0.14)
        return (
            <span className="cb-bar-label" style={{ right: percent(1 - left) }}>
                {text}
            </span>
        );
    return (
        <span className="cb-bar-label cb-bar-label-inside" style={{ right: percent(1 - right) }}>
            {text}
        </span>
    );
}

export interface BarProps {
    node: SpanNode;
    window: TimeWindow;
    tone: number;
    critical: boolean;
    logs: readonly ReadLog[] | undefined;
    extras: SpanExtras | undefined;
}

export const Bar = memo(function Bar({ node, window, tone, critical, logs, extras }: BarProps) {
    const from = shareOf(window, node.start);
    const to = shareOf(window, node.start + node.duration);
    const left = Math.max(0, Math.min(1, from));
    const right = Math.max(left, Math.min(1, to));
    const outside = to < 0 || from > 1;
    const kinds = [
        "cb-bar",
        `cb-tone-${tone}`,
        node.failed ? "cb-bar-failed" : "",
        node.async ? "cb-bar-async" : "",
        node.missing || node.hidden ? "cb-bar-missing" : "",
    ];
    return (
        <>
            {outside ? (
                <span className={from > 1 ? "cb-bar-beyond cb-bar-after" : "cb-bar-beyond"}>
                    {from > 1 ? "▸" : "◂"}
                </span>
            ) : (
                <span
                    className={kinds.filter(Boolean).join(" ")}
                    style={{ left: percent(left), width: percent(right - left) }}
                />
            )}
            {critical && node.parts
                ? criticalShares(node.parts, window).map(([start, end]) => (
                      <span
                          key={start}
                          className="cb-bar-critical"
                          style={{ left: percent(start), width: percent(end - start) }}
                      />
                  ))
                : null}
            {logs
                ? logDots(logs, window).map((dot) => (
                      <span
                          key={dot.share}
                          className={`cb-bar-log cb-level-${dot.level.toLowerCase()}`}
                          style={{ left: percent(dot.share) }}
                          title={dot.texts.join("\n")}
                      >
                          ●
                      </span>
                  ))
                : null}
            {extras?.events.map((event, i) => {
                const share = shareOf(window, event.at);
                return share < 0 || share > 1 || i >= 50 ? null : (
                    <span
                        key={i}
                        className="cb-bar-event"
                        style={{ left: percent(share) }}
                        title={`event ${shownName(event.name)}`}
                    >
                        ▲
                    </span>
                );
            })}
            {outside ? null : <Label node={node} left={left} right={right} />}
        </>
    );
});
