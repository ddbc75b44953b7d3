// Where to look first: how many components are in trouble, the worst projects
// and why, and every component with its figures.
import { useEffect, useMemo, useState } from "react";
import { useParam, useSetParams } from "../address";
import { useComponents, type ComponentRow } from "../components";
import { formatCount } from "../format";
import { HEALTH_ORDER, type Health } from "../health";
import { Counters } from "../overview/counters";
import { Projects } from "../overview/projects";
import { sumByProject } from "../overview/sums";
import { Check } from "../parts/choice";
import { ComponentTable, WORST_FIRST } from "../parts/component_table";
import { HowToSend } from "../parts/how_to_send";
import { Section } from "../parts/marks";
import { sortOf, sortText } from "../parts/table";
import { useScope } from "../scope";
import { Answer, Empty } from "../states";
import { useTimeRange } from "../time";

function chosenHealth(text: string | undefined): Health[] {
    return HEALTH_ORDER.filter((health) => text?.split(",").includes(health));
}

function matches(row: ComponentRow, words: readonly string[], chosen: readonly Health[]): boolean {
    if (chosen.length > 0 && !chosen.includes(row.health)) return false;
    const text = `${row.namespace} ${row.project} ${row.component} ${row.environment ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
}

function Filter() {
    const [q, setQ] = useParam("q");
    const [group, setGroup] = useParam("group");
    return (
        <span className="cb-toolbar">
            <input
                type="search"
                className="cb-input"
                placeholder="Filter by name"
                aria-label="Filter components by name"
                value={q ?? ""}
                onChange={(event) => setQ(event.target.value, "replace")}
            />
            <Check checked={group !== "none"} onChange={(on) => setGroup(on ? undefined : "none")}>
                Projects
            </Check>
        </span>
    );
}

function NoMatch() {
    const set = useSetParams();
    return (
        <Empty
            what="No component matches the filter"
            next={
                <button
                    type="button"
                    className="cb-button"
                    onClick={() => set({ q: undefined, health: undefined })}
                >
                    Drop the filter
                </button>
            }
        />
    );
}

// True after the first picture with this content: what is asked then does not delay it.
function useDrawn(ready: boolean): boolean {
    const [drawn, setDrawn] = useState(false);
    useEffect(() => {
        if (!ready || drawn) return;
        const frame = requestAnimationFrame(() => setDrawn(true));
        return () => cancelAnimationFrame(frame);
    }, [ready, drawn]);
    return drawn;
}

function Content(props: { rows: readonly ComponentRow[]; unassigned: number }) {
    const { rows } = props;
    const range = useTimeRange();
    const set = useSetParams();
    const [q] = useParam("q");
    const [group] = useParam("group");
    const [health] = useParam("health");
    const [sort] = useParam("sort");
    const drawn = useDrawn(rows.length > 0);
    const chosen = useMemo(() => chosenHealth(health), [health]);
    const shown = useMemo(() => {
        const words = (q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
        return rows.filter((row) => matches(row, words, chosen));
    }, [rows, q, chosen]);
    const projects = useMemo(() => sumByProject(shown), [shown]);
    const choose = (one: Health) => {
        const next = chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one];
        set({ health: next.join(",") });
    };
    if (rows.length === 0) return <HowToSend now={range.end.getTime()} />;
    const count =
        shown.length === rows.length
            ? formatCount(rows.length)
            : `${formatCount(shown.length)} of ${formatCount(rows.length)}`;
    return (
        <>
            <Counters rows={rows} chosen={chosen} choose={choose} unassigned={props.unassigned} />
            {group === "none" ? null : <Projects projects={projects} range={range} drawn={drawn} />}
            <Section id="components" title={`Components (${count})`} aside={<Filter />}>
                <ComponentTable
                    rows={shown}
                    of={rows}
                    label="Components"
                    height="75vh"
                    sort={sortOf(sort, WORST_FIRST)}
                    onSort={(next) => set({ sort: sortText(next) })}
                    empty={<NoMatch />}
                />
            </Section>
        </>
    );
}

export default function Overview() {
    const scope = useScope();
    const { asked, rows } = useComponents({ ...scope, component: undefined }, useTimeRange());
    return (
        <div className="cb-overview">
            <h1 className="cb-hidden">Overview</h1>
            <Answer asked={asked} height={480} rows={8}>
                {(list) => <Content rows={rows} unassigned={list.unassigned.resources} />}
            </Answer>
        </div>
    );
}
