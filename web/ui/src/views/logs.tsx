// Logs: search, volume, lines or patterns, live tail.
import { useCallback, useMemo, useRef, useState } from "react";
import { useSetParams } from "../address";
import { usePlace } from "../host";
import { columnsOf, ColumnChips, Controls, FilterChips } from "../logs/controls";
import { filtersOf, type LogEntry } from "../logs/filters";
import { FoundLines, NothingFound } from "../logs/found";
import { LiveLines } from "../logs/live";
import { Patterns } from "../logs/patterns";
import { RecordDetails } from "../logs/record";
import type { LogRow } from "../logs/rows";
import { useLogPages, useVolume, type LogOrder } from "../logs/search";
import { Volume } from "../logs/volume";
import { ChooseScope } from "../parts/choose_scope";
import { useScope } from "../scope";
import { Choice } from "../parts/choice";
import { useTimeRange } from "../time";

const n = (count: number) => count.toLocaleString("en");

const VIEWS = [
    { value: "lines", text: "Lines" },
    { value: "patterns", text: "Patterns" },
] as const;

function LogsOfScope() {
    const scope = useScope();
    const range = useTimeRange();
    const set = useSetParams();
    const { params } = usePlace();
    const filters = useMemo(() => filtersOf(params), [params]);
    const columns = useMemo(() => columnsOf(params.cols), [params.cols]);
    const view = params.view === "patterns" ? "patterns" : "lines";
    const live = view === "lines" && params.live === "1" && range.relative;
    const order: LogOrder = params.order === "asc" ? "asc" : "desc";
    const attributes = columns.length > 0 || filters.without.length > 0;
    const pages = useLogPages(scope, range, filters, {
        order,
        attributes,
        enabled: view === "lines" && !live,
    });
    const ready = view === "patterns" || live || pages.data !== undefined;
    const volume = useVolume(scope, range, filters, ready);
    const logs = useRef<readonly LogEntry[]>([]);
    const [count, setCount] = useState(0);
    const onLogs = useCallback((next: readonly LogEntry[]) => {
        logs.current = next;
        setCount(next.length);
    }, []);
    const total = useMemo(() => {
        const levels =
            filters.levels.length > 0 ? filters.levels : (["ERROR", "WARN", "INFO", "DEBUG"] as const);
        return volume.data && levels.reduce((sum, level) => sum + volume.data.total[level], 0);
    }, [volume.data, filters.levels]);
    const lines = {
        scope,
        filters,
        columns,
        wrap: params.wrap === "1",
        showComponent: scope.component === undefined,
        details: (row: LogRow, close: () => void) => (
            <RecordDetails key={row.key} log={row.log} onClose={close} />
        ),
        onLogs,
    };
    return (
        <>
            <Controls logs={() => logs.current} count={count} lines={view === "lines"} />
            <FilterChips />
            <ColumnChips />
            <Volume scope={scope} range={range} filters={filters} ready={ready} />
            <div className="cb-log-head">
                <Choice
                    label="Lines or patterns"
                    options={VIEWS}
                    value={view}
                    onChange={(view) => set({ view: view === "lines" ? undefined : view })}
                />
                {view === "lines" && range.relative && !live ? (
                    <button
                        type="button"
                        className="cb-button"
                        onClick={() => set({ live: "1", at: undefined })}
                    >
                        Live tail
                    </button>
                ) : null}
            </div>
            {view === "patterns" ? (
                <Patterns
                    scope={scope}
                    range={range}
                    filters={filters}
                    empty={(empty) => <NothingFound empty={empty} range={range} />}
                />
            ) : live ? (
                <LiveLines {...lines} />
            ) : (
                <FoundLines
                    {...lines}
                    range={range}
                    order={order}
                    pages={pages}
                    head={(shown) => (
                        <p className="cb-log-count">
                            {total === undefined
                                ? `${n(shown)} lines loaded`
                                : `${n(shown)} of ${n(total)} lines loaded`}
                        </p>
                    )}
                />
            )}
        </>
    );
}

export default function Logs() {
    const scope = useScope();
    return (
        <div className="cb-logs">
            {scope.namespace ? (
                <LogsOfScope />
            ) : (
                <ChooseScope
                    of="namespace"
                    what="Choose a namespace"
                    why="Log lines are searched in one namespace at a time."
                />
            )}
        </div>
    );
}
