// What is searched for: text, levels, attributes; and how lines are shown.
import { useEffect, useState, type FormEvent } from "react";
import { useSetParams } from "../address";
import { usePlace } from "../host";
import { CopyButton } from "../parts/copy";
import { AddAttribute, Chip } from "../parts/attribute_filter";
import { downloadLogs, exported } from "./export";
import { attributeParam, filterParams, filtersOf, LEVELS, type LogEntry, type LogLevel } from "./filters";

type SearchKind = "phrase" | "words";

const SEARCH_HINTS: Record<SearchKind, string> = {
    phrase: "Text that the line has, as written",
    words: "Words that the line has, in any case and order",
};

function SearchText() {
    const { params } = usePlace();
    const set = useSetParams();
    const asked = params.q ?? params.words ?? "";
    const [kind, setKind] = useState<SearchKind>(params.words && !params.q ? "words" : "phrase");
    const [text, setText] = useState(asked);
    useEffect(() => setText(asked), [asked]);
    const search = (value: string, as: SearchKind) =>
        set({
            q: as === "phrase" ? value : undefined,
            words: as === "words" ? value.trim() : undefined,
            at: undefined,
        });
    const submit = (event: FormEvent) => {
        event.preventDefault();
        search(text, kind);
    };
    return (
        <form className="cb-log-search" role="search" onSubmit={submit}>
            <input
                className="cb-input"
                type="search"
                value={text}
                placeholder={SEARCH_HINTS[kind]}
                aria-label="Search in log lines"
                onChange={(event) => {
                    setText(event.target.value);
                    // The cross of the field empties it without Enter.
                    if (event.target.value === "" && asked !== "") search("", kind);
                }}
            />
            <select
                className="cb-input"
                aria-label="How the text is searched"
                title={SEARCH_HINTS[kind]}
                value={kind}
                onChange={(event) => {
                    const next = event.target.value as SearchKind;
                    setKind(next);
                    if (text !== "") search(text, next);
                }}
            >
                <option value="phrase">phrase</option>
                <option value="words">words</option>
            </select>
            <button type="submit" className="cb-button">
                Search
            </button>
        </form>
    );
}

// None marked: all levels.
export function levelsAfter(levels: readonly LogLevel[], level: LogLevel): LogLevel[] {
    const next = levels.includes(level) ? levels.filter((one) => one !== level) : [...levels, level];
    return next.length === LEVELS.length ? [] : next;
}

function LevelButtons(props: { levels: readonly LogLevel[] }) {
    const set = useSetParams();
    return (
        <div role="group" aria-label="Levels" className="cb-log-levels">
            {LEVELS.map((level) => (
                <button
                    key={level}
                    type="button"
                    className={`cb-button cb-log-level-button cb-level-${level.toLowerCase()}`}
                    aria-pressed={props.levels.includes(level)}
                    onClick={() => set({ level: levelsAfter(props.levels, level).join(","), at: undefined })}
                >
                    {level}
                </button>
            ))}
        </div>
    );
}

export function FilterChips() {
    const { params } = usePlace();
    const set = useSetParams();
    const filters = filtersOf(params);
    const drop = (name: string) => () => set({ [name]: undefined, at: undefined });
    const chips = filterParams(params).filter((name) => !["level", "q", "words"].includes(name));
    if (chips.length === 0) return null;
    const text = (name: string) => {
        const value = params[name] ?? "";
        if (name.startsWith("attr.")) return `${name.slice(5)} = ${value}`;
        if (name.startsWith("not.")) return `without ${name.slice(4)} = ${value}`;
        return `${name} ${value}`;
    };
    return (
        <div className="cb-log-chips" role="group" aria-label="Filters">
            {chips.map((name) => (
                <Chip key={name} text={text(name)} drop={drop(name)} />
            ))}
            {filters.without.length > 0 || filters.pod ? (
                <span className="cb-log-note">
                    “without” and “pod” are applied to the lines that are read; counts and the chart have all.
                </span>
            ) : null}
        </div>
    );
}

export function Controls(props: { logs: () => readonly LogEntry[]; count: number; lines: boolean }) {
    const { params } = usePlace();
    const set = useSetParams();
    const filters = filtersOf(params);
    const wrap = params.wrap === "1";
    return (
        <div className="cb-toolbar">
            <SearchText />
            <LevelButtons levels={filters.levels} />
            <AddAttribute onAdd={(name, value) => set({ [attributeParam(name)]: value, at: undefined })} />
            {props.lines ? (
                <div className="cb-log-shown" role="group" aria-label="How lines are shown">
                    <button
                        type="button"
                        className="cb-button"
                        aria-pressed={wrap}
                        onClick={() => set({ wrap: wrap ? undefined : "1" }, "replace")}
                    >
                        Wrap
                    </button>
                    {params.live === "1" ? null : (
                        <button
                            type="button"
                            className="cb-button"
                            onClick={() => set({ order: params.order === "asc" ? undefined : "asc" })}
                        >
                            {params.order === "asc" ? "Oldest first" : "Newest first"}
                        </button>
                    )}
                    <details className="cb-menu">
                        <summary className="cb-button">Export</summary>
                        <div className="cb-menu-items">
                            <p>The {props.count.toLocaleString("en")} lines that are loaded:</p>
                            <CopyButton text={() => exported(props.logs(), "text")} label="Copy as text" />
                            <CopyButton text={() => exported(props.logs(), "json")} label="Copy as JSON" />
                            <button
                                type="button"
                                className="cb-button"
                                onClick={() => downloadLogs(props.logs(), "text")}
                            >
                                Save as text
                            </button>
                            <button
                                type="button"
                                className="cb-button"
                                onClick={() => downloadLogs(props.logs(), "json")}
                            >
                                Save as JSON
                            </button>
                        </div>
                    </details>
                </div>
            ) : null}
        </div>
    );
}

export function ColumnChips() {
    const { params } = usePlace();
    const set = useSetParams();
    const columns = columnsOf(params.cols);
    if (columns.length === 0) return null;
    return (
        <div className="cb-log-chips" role="group" aria-label="Columns">
            {columns.map((name) => (
                <Chip
                    key={name}
                    text={`column ${name}`}
                    drop={() => set({ cols: columns.filter((one) => one !== name).join(",") })}
                />
            ))}
        </div>
    );
}

export function columnsOf(text: string | undefined): string[] {
    return (text ?? "").split(",").filter((name) => name !== "");
}
