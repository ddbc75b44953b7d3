// Find, filters and the choice of picture.
import { useEffect, useRef, useState, type KeyboardEvent, type RefObject } from "react";
import { formatSeconds, formatShare, shownName } from "../format";
import type { Chosen } from "../parts/choice";
import type { ComponentShare } from "./colours";
import type { Only } from "./rows";

export type Picture = "time" | "list" | "flame";

export const PICTURES: readonly Chosen<Picture>[] = [
    { value: "time", text: "Time", title: "Spans under what called them, over time" },
    { value: "list", text: "List", title: "Spans and log records in order of time" },
    { value: "flame", text: "Flame", title: "Equal paths as one; the width is the time in them" },
];

// Written to the address when typing rests.
const REST_MS = 250;

export function Find(props: {
    text: string;
    count: number;
    inputRef: RefObject<HTMLInputElement>;
    onText: (text: string) => void;
    onNext: (back: boolean) => void;
}) {
    const { text, onText, onNext } = props;
    const [typed, setTyped] = useState(text);
    const last = useRef(text);
    useEffect(() => {
        if (text !== last.current) setTyped(text);
        last.current = text;
    }, [text]);
    useEffect(() => {
        if (typed === last.current) return;
        const timer = setTimeout(() => {
            last.current = typed;
            onText(typed);
        }, REST_MS);
        return () => clearTimeout(timer);
    }, [typed, onText]);
    const keyDown = (event: KeyboardEvent) => {
        if (event.key === "Enter") onNext(event.shiftKey);
        if (event.key === "Escape") setTyped("");
    };
    return (
        <div className="cb-trace-find" role="search">
            <input
                ref={props.inputRef}
                type="search"
                className="cb-input"
                placeholder="Find"
                aria-label="Find spans: name, component, attribute, log text, id"
                title="Name, component, attribute, log text, span id. Enter: next; Shift Enter: previous."
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
                onKeyDown={keyDown}
            />
            <span className="cb-trace-find-count" role="status">
                {text ? `${props.count} found` : ""}
            </span>
            <button
                type="button"
                className="cb-button"
                aria-label="Previous"
                title="Previous (N)"
                disabled={props.count === 0}
                onClick={() => onNext(true)}
            >
                ↑
            </button>
            <button
                type="button"
                className="cb-button"
                aria-label="Next"
                title="Next (n)"
                disabled={props.count === 0}
                onClick={() => onNext(false)}
            >
                ↓
            </button>
        </div>
    );
}

export function OnlyChoice(props: { only: Only; failed: number; onOnly: (only: Only) => void }) {
    return (
        <label className="cb-check">
            Show{" "}
            <select
                className="cb-input"
                value={props.only}
                onChange={(event) => props.onOnly(event.target.value as Only)}
            >
                <option value="all">all spans</option>
                <option value="failed">only failed ({props.failed})</option>
                <option value="critical">only the critical path</option>
            </select>
        </label>
    );
}

const LEGEND = 12;

// Components with their colour and share of the time; a click finds their spans.
export function Legend(props: { shares: readonly ComponentShare[]; onFind: (component: string) => void }) {
    const total = props.shares.reduce((sum, share) => sum + share.self, 0);
    return (
        <ul className="cb-trace-legend" aria-label="Components by self time">
            {props.shares.slice(0, LEGEND).map((share) => (
                <li key={share.key}>
                    <button
                        type="button"
                        className="cb-trace-legend-item"
                        title={`${shownName(share.component) || "without a component"}: self time ${formatSeconds(share.self / 1e9)}, ${share.spans} spans, ${share.failed} failed. Click: find its spans.`}
                        onClick={() => props.onFind(share.component)}
                    >
                        <span className={`cb-swatch cb-tone-${share.tone}`} aria-hidden="true" />
                        <bdi>{shownName(share.component) || "(no component)"}</bdi>
                        <span className="cb-trace-legend-share">
                            {formatShare(total > 0 ? share.self / total : 0)}
                        </span>
                        {share.failed > 0 ? <span className="cb-text-bad">! {share.failed}</span> : null}
                    </button>
                </li>
            ))}
            {props.shares.length > LEGEND ? <li>{props.shares.length - LEGEND} more</li> : null}
        </ul>
    );
}
