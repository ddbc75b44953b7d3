// Changes and traces of a chart as buttons, for the keyboard: shown while one has focus.
import { formatTime } from "../format";
import type { TimeChartProps } from "./types";

const MOST = 50;

export function MarkList(props: TimeChartProps) {
    const { markers = [], dots = [], onDot, onMarker, from, to } = props;
    const inside = (item: { at: number }) => item.at >= from && item.at <= to;
    const changes = onMarker ? markers.filter(inside).slice(0, MOST) : [];
    const traces = onDot ? dots.filter(inside).slice(0, MOST) : [];
    if (changes.length + traces.length === 0) return null;
    return (
        <ul className="cb-mark-list" aria-label={`${props.title}: changes and traces`}>
            {changes.map((marker, i) => (
                <li key={`m${i}`}>
                    <button type="button" onClick={() => onMarker?.([marker])}>
                        {formatTime(marker.at)} {marker.text}
                    </button>
                </li>
            ))}
            {traces.map((dot, i) => (
                <li key={`d${i}`}>
                    <button type="button" onClick={() => onDot?.(dot)}>
                        {dot.failed ? "! " : ""}
                        {dot.text}
                    </button>
                </li>
            ))}
        </ul>
    );
}
