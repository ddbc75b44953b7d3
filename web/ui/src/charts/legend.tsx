// The legend of a chart: names of the lines with their value at the crosshair,
// else that of the last step that is over; of stacked counts all in the picture.
import { formatTime } from "../format";
import { roleProperty } from "./colors";
import { useCrosshair } from "./crosshair";
import { isUnfinished, nearest } from "./prepare";
import type { Line, TimeChartProps } from "./types";
import { formatUnit } from "./units";

type Drawn = Pick<TimeChartProps, "times" | "lines" | "unit" | "stepMs" | "to">;

// The newest value of a step that is over; of the last step, to which more may
// come, only if there is no other.
function newest(values: Line["values"], { times, stepMs, to }: Drawn): number | null {
    const last = values.length - 1;
    const over = isUnfinished(times, stepMs, to) ? last - 1 : last;
    for (let i = over; i >= 0; i--) if (values[i] != null) return values[i]!;
    return values[last] ?? null;
}

function shownOf(line: Line, drawn: Drawn): number | null {
    if (!line.stacked || drawn.unit !== "count") return newest(line.values, drawn);
    return line.values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

// "requests 1.85 /s, at most 7.20 /s; errors ..."
export function summaryOf(drawn: Drawn): string {
    const { lines, unit } = drawn;
    return lines
        .map((line) => {
            const known = line.values.filter((value): value is number => value !== null);
            if (known.length === 0) return `${line.name}: no values`;
            const most = known.reduce((a, b) => Math.max(a, b));
            return `${line.name} ${formatUnit(unit, shownOf(line, drawn))}, at most ${formatUnit(unit, most)}`;
        })
        .join("; ");
}

function Key(props: { line: Line }) {
    const { role, stacked } = props.line;
    const dashed = role === "before" || role === "limit";
    return (
        <svg className="cb-key" width="14" height="8" aria-hidden="true">
            <path
                d={stacked ? "M2 0H12V8H2Z" : "M0 4H14"}
                style={
                    stacked
                        ? { fill: `var(${roleProperty(role)})` }
                        : {
                              stroke: `var(${roleProperty(role)})`,
                              strokeDasharray: dashed ? "4 3" : undefined,
                          }
                }
            />
        </svg>
    );
}

export function Legend(props: Drawn & Pick<TimeChartProps, "onLine">) {
    const { times, lines, unit, onLine } = props;
    const at = useCrosshair();
    const i = at === undefined ? -1 : nearest(times, at);
    return (
        <span className="cb-legend" aria-hidden={onLine ? undefined : true}>
            {lines.map((line) => {
                const value = i < 0 ? shownOf(line, props) : (line.values[i] ?? null);
                const entry = (
                    <>
                        <Key line={line} />
                        {line.name} <b>{formatUnit(unit, value)}</b>
                    </>
                );
                return onLine ? (
                    <button
                        key={line.name}
                        type="button"
                        className="cb-legend-entry cb-legend-button"
                        onClick={() => onLine(line)}
                    >
                        {entry}
                    </button>
                ) : (
                    <span key={line.name} className="cb-legend-entry">
                        {entry}
                    </span>
                );
            })}
        </span>
    );
}

// The time at the crosshair.
export function CrosshairTime(props: Pick<TimeChartProps, "times">) {
    const at = useCrosshair();
    const i = at === undefined ? -1 : nearest(props.times, at);
    return i < 0 ? null : (
        <span className="cb-legend-time">{formatTime(props.times[i]!, { seconds: true })}</span>
    );
}
