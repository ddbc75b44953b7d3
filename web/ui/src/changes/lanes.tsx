// Changes over time: a lane per component, a mark per change, several that are
// close to each other as one with a number.
import { useMemo, useRef } from "react";
import { formatTime, shownName } from "../format";
import { Name } from "../parts/marks";
import { useWidth } from "../parts/width";
import { lanesOf, marksOf, ticksOf, type Mark } from "./arrange";
import { changeKey, isDeployed, isMain, kindWord, shapeOf, type Change } from "./kinds";

const LANES_MAX = 40;

function classOf(change: Change): string {
    return change.type === "Warning" ? "cb-lane-warning" : isMain(change) ? "cb-lane-main" : "cb-lane-other";
}

function MarkButton(props: { mark: Mark; selected?: string; onOpen: (change: Change) => void }) {
    const { changes, left } = props.mark;
    const warning = changes.find((one) => one.type === "Warning");
    // What was deployed is not hidden by the warnings of its rollout: they give the colour.
    const shown = changes.find(isDeployed) ?? warning ?? changes[0]!;
    const text = changes
        .map((one) => `${formatTime(one.timestamp, { seconds: true })} ${shownName(one.title)}`)
        .join("\n");
    return (
        <button
            type="button"
            tabIndex={-1}
            className={`cb-lane-mark ${classOf(warning ?? shown)}`}
            aria-pressed={changes.some((one) => changeKey(one) === props.selected)}
            title={text}
            style={{ left }}
            onClick={() => props.onOpen(shown)}
        >
            <span aria-hidden="true">
                {shapeOf(shown)}
                {changes.length > 1 ? <small>{changes.length}</small> : null}
            </span>
            <span className="cb-hidden">{text}</span>
        </button>
    );
}

function LanesLegend(props: { changes: readonly Change[] }) {
    const { changes } = props;
    const first = new Map<string, Change>();
    for (const change of changes) {
        const name = change.type === "Warning" ? "warning" : isMain(change) ? kindWord(change.kind) : "other";
        if (!first.has(name)) first.set(name, change);
    }
    return (
        <figcaption className="cb-lanes-legend">
            {[...first].map(([name, change]) => (
                <span key={name}>
                    <span aria-hidden="true" className={classOf(change)}>
                        {shapeOf(change)}
                    </span>{" "}
                    {name}
                </span>
            ))}
        </figcaption>
    );
}

export function Lanes(props: {
    changes: readonly Change[];
    from: number;
    to: number;
    selected?: string;
    onOpen: (change: Change) => void;
}) {
    const { changes, from, to } = props;
    const track = useRef<HTMLDivElement>(null);
    const width = useWidth(track);
    const lanes = useMemo(() => lanesOf(changes), [changes]);
    const ticks = useMemo(() => ticksOf(from, to, width), [from, to, width]);
    const left = (at: number) => `${((at - from) / (to - from)) * 100}%`;
    const summary = lanes.map((lane) => `${shownName(lane.component)} ${lane.changes.length}`).join(", ");
    return (
        <figure className="cb-lanes" aria-label={`Changes over time: ${summary}. The list below has each.`}>
            <LanesLegend changes={changes} />
            <div className="cb-lane cb-lane-axis">
                <span />
                <div className="cb-lane-track" ref={track}>
                    {ticks.map((at) => (
                        <span key={at} className="cb-lane-tick" style={{ left: left(at) }}>
                            {formatTime(at, { seconds: to - from < 120e3, now: to })}
                        </span>
                    ))}
                </div>
            </div>
            {lanes.slice(0, LANES_MAX).map((lane) => (
                <div className="cb-lane" key={lane.component}>
                    <Name text={lane.component} className="cb-lane-name" />
                    <div className="cb-lane-track">
                        {ticks.map((at) => (
                            <span key={at} className="cb-lane-grid" style={{ left: left(at) }} />
                        ))}
                        {marksOf(lane.changes, from, to, width).map((mark) => (
                            <MarkButton
                                key={changeKey(mark.changes[0]!)}
                                mark={mark}
                                selected={props.selected}
                                onOpen={props.onOpen}
                            />
                        ))}
                    </div>
                </div>
            ))}
            {lanes.length > LANES_MAX ? (
                <p className="cb-lanes-more">
                    {lanes.length - LANES_MAX} more components are in the list below.
                </p>
            ) : null}
        </figure>
    );
}
