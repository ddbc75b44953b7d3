// Rows of the waterfall: a span, a log record.
import { memo, type CSSProperties } from "react";
import { formatSeconds, shownName } from "../format";
import { Level, Name } from "../parts/marks";
import type { SpanExtras } from "./ask_trace";
import { Bar } from "./bar";
import type { ReadLog, SpanNode } from "./spans";
import { shareOf, type TimeWindow } from "./window";

// Deeper spans are not indented further; their depth is told.
const INDENTED = 20;

function indentOf(depth: number): CSSProperties {
    return { paddingLeft: `calc(${Math.min(depth, INDENTED)} * var(--cb-indent))` };
}

// What is unusual about a span, in short, and in a sentence.
function remarksOf(node: SpanNode): [string, string][] {
    const found: [string, string][] = [];
    if (node.missing)
        found.push(["not received", "Spans name this one as their parent, but it has not arrived (yet)."]);
    if (node.orphan) found.push(["parent missing", "The parent of this span was not received."]);
    if (node.cycle) found.push(["parent ring", "This span is its own ancestor; it is shown at the top."]);
    if (node.duplicate) found.push(["same id", "Another span of this trace has the same id."]);
    if (node.skewed)
        found.push([
            `clock ${node.clock > 0 ? "+" : "−"}${formatSeconds(Math.abs(node.clock) / 1e9)}`,
            "Its clock differs from that of its caller: its times are not possible otherwise. It is shown as sent.",
        ]);
    if (node.async) found.push(["not waited for", "Its parent does not wait for this span."]);
    if (node.hidden) found.push(["hidden", "You may not see this span; only its times are known."]);
    return found;
}

export interface SpanRowProps {
    id: string;
    index: number; // in the list that is shown
    top: number;
    height: number;
    node: SpanNode;
    row: number;
    window: TimeWindow;
    tone: number;
    closed: boolean;
    selected: boolean;
    focused: boolean;
    hit: boolean;
    critical: boolean;
    logs: readonly ReadLog[] | undefined;
    extras: SpanExtras | undefined;
    onFold: (row: number) => void;
    onOpen: (index: number, row: number) => void;
}

function spanText(node: SpanNode): string {
    const parts = [
        node.failed ? "failed" : "",
        shownName(node.component),
        shownName(node.name),
        `starts at ${formatSeconds(node.start / 1e9)}`,
        `lasts ${formatSeconds(node.duration / 1e9)}`,
        `self time ${formatSeconds(node.self / 1e9)}`,
    ];
    return parts.filter(Boolean).join(", ");
}

export const SpanRow = memo(function SpanRow(props: SpanRowProps) {
    const { node, row, index } = props;
    const classes = [
        "cb-span",
        props.selected ? "cb-span-selected" : "",
        props.focused ? "cb-span-focused" : "",
        props.hit ? "cb-span-hit" : "",
    ];
    return (
        // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the treegrid has focus and handles the keys
        <div
            id={props.id}
            role="row"
            aria-level={node.depth + 1}
            aria-rowindex={index + 2}
            aria-expanded={node.children > 0 ? !props.closed : undefined}
            aria-selected={props.selected}
            aria-label={spanText(node)}
            className={classes.filter(Boolean).join(" ")}
            style={{ transform: `translateY(${props.top}px)`, height: props.height }}
            onClick={() => props.onOpen(index, row)}
        >
            <div role="gridcell" className="cb-span-name" style={indentOf(node.depth)}>
                {node.children > 0 ? (
                    <span
                        className="cb-fold"
                        aria-hidden="true"
                        onClick={(event) => {
                            event.stopPropagation();
                            props.onFold(row);
                        }}
                    >
                        {props.closed ? "▸" : "▾"}
                    </span>
                ) : (
                    <span className="cb-fold" aria-hidden="true" />
                )}
                {node.depth > INDENTED ? <span className="cb-tag">{node.depth}</span> : null}
                <span className={`cb-swatch cb-tone-${props.tone}`} aria-hidden="true" />
                {node.failed ? (
                    <span
                        className="cb-span-mark"
                        title={node.origin ? "failed, and nothing below it did" : "failed"}
                    >
                        {node.origin ? "!!" : "!"}
                    </span>
                ) : null}
                <span className="cb-span-text" title={shownName(`${node.component} ${node.name}`)}>
                    {node.component ? <b>{shownName(node.component)}</b> : null} {shownName(node.name)}
                </span>
                {remarksOf(node).map(([short, text]) => (
                    <span key={short} className="cb-tag cb-trace-tag" title={text}>
                        {short}
                    </span>
                ))}
                {props.closed ? <span className="cb-tag cb-trace-tag">+{node.last - row}</span> : null}
            </div>
            <div role="gridcell" className="cb-span-bar">
                <Bar
                    node={node}
                    window={props.window}
                    tone={props.tone}
                    critical={props.critical}
                    logs={props.logs}
                    extras={props.extras}
                />
            </div>
        </div>
    );
});

export const LogRow = memo(function LogRow(props: {
    id: string;
    index: number;
    top: number;
    height: number;
    log: ReadLog;
    depth: number;
    window: TimeWindow;
    focused: boolean;
    onOpen: (index: number) => void;
}) {
    const { log, index } = props;
    const share = shareOf(props.window, log.at);
    return (
        // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the treegrid has focus and handles the keys
        <div
            id={props.id}
            role="row"
            aria-level={props.depth + 2}
            aria-rowindex={index + 2}
            className={"cb-span cb-span-log" + (props.focused ? " cb-span-focused" : "")}
            style={{ transform: `translateY(${props.top}px)`, height: props.height }}
            onClick={() => props.onOpen(index)}
        >
            <div role="gridcell" className="cb-span-name" style={indentOf(props.depth + 1)}>
                <span className="cb-fold" aria-hidden="true" />
                <Level level={log.level} />
                <Name className="cb-span-text" text={log.text} />
            </div>
            <div role="gridcell" className="cb-span-bar" aria-label={`at ${formatSeconds(log.at / 1e9)}`}>
                {share < 0 || share > 1 ? null : (
                    <span
                        className={`cb-bar-log cb-level-${log.level.toLowerCase()}`}
                        style={{ left: `${(share * 100).toFixed(3)}%` }}
                        title={formatSeconds(log.at / 1e9)}
                    >
                        ●
                    </span>
                )}
            </div>
        </div>
    );
});
