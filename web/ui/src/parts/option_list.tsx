// A list to choose from, with a field that searches in it: arrows, Enter, Home, End.
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { shownName } from "../format";

export interface Option {
    value: string;
    text: string;
    // Stands before and behind the text.
    mark?: ReactNode;
    note?: string;
}

const MOST = 100;

// Those that have all words, in any order; what begins with the first word comes first.
export function matching<O extends Option>(options: readonly O[], typed: string): O[] {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return options.slice(0, MOST);
    const begins: O[] = [];
    const others: O[] = [];
    for (const option of options) {
        const text = `${option.text} ${option.note ?? ""}`.toLowerCase();
        if (!words.every((word) => text.includes(word))) continue;
        (text.startsWith(words[0]!) ? begins : others).push(option);
        if (begins.length >= MOST) break;
    }
    return [...begins, ...others].slice(0, MOST);
}

export function OptionList(props: {
    label: string;
    options: readonly Option[];
    selected?: string;
    onChoose: (option: Option, how: { newTab: boolean }) => void;
    onType?: (typed: string) => void;
    placeholder?: string;
    none: ReactNode; // no option fits
    // More options that depend on what is typed, above and below the others.
    extra?: (typed: string) => readonly Option[];
    after?: (typed: string) => readonly Option[];
}) {
    const { onChoose, onType } = props;
    const [typed, setTyped] = useState("");
    const [current, setCurrent] = useState(-1);
    const id = useId();
    const list = useRef<HTMLUListElement>(null);
    const field = useRef<HTMLInputElement>(null);
    const found = [
        ...(props.extra?.(typed.trim()) ?? []),
        ...matching(props.options, typed),
        ...(props.after?.(typed.trim()) ?? []),
    ];
    const chosen = found.findIndex((option) => option.value === props.selected);
    const index = current >= 0 ? Math.min(current, found.length - 1) : typed ? 0 : Math.max(0, chosen);

    useEffect(() => field.current?.focus(), []);
    useEffect(() => {
        list.current?.children[index]?.scrollIntoView?.({ block: "nearest" });
    }, [index, typed]);

    const steps: Record<string, () => void> = {
        ArrowDown: () => setCurrent(Math.min(found.length - 1, index + 1)),
        ArrowUp: () => setCurrent(Math.max(0, index - 1)),
        PageDown: () => setCurrent(Math.min(found.length - 1, index + 10)),
        PageUp: () => setCurrent(Math.max(0, index - 10)),
    };
    const keyDown = (event: KeyboardEvent) => {
        if (event.key === "Enter" && found[index])
            onChoose(found[index], { newTab: event.ctrlKey || event.metaKey });
        else if (steps[event.key]) steps[event.key]!();
        else return;
        event.preventDefault();
    };
    return (
        <div className="cb-options">
            <input
                ref={field}
                className="cb-input"
                role="combobox"
                aria-label={props.label}
                aria-expanded="true"
                aria-controls={`${id}-list`}
                aria-activedescendant={found.length > 0 ? `${id}-${index}` : undefined}
                aria-autocomplete="list"
                placeholder={props.placeholder}
                value={typed}
                spellCheck={false}
                autoComplete="off"
                onChange={(event) => {
                    setTyped(event.target.value);
                    setCurrent(-1);
                    onType?.(event.target.value);
                }}
                onKeyDown={keyDown}
            />
            <ul ref={list} id={`${id}-list`} role="listbox" aria-label={props.label}>
                {found.map((option, i) => (
                    // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the field has the keys
                    <li
                        key={option.value}
                        id={`${id}-${i}`}
                        role="option"
                        aria-selected={i === index}
                        className={
                            option.value === props.selected ? "cb-option cb-option-chosen" : "cb-option"
                        }
                        onClick={(event) => onChoose(option, { newTab: event.ctrlKey || event.metaKey })}
                        onMouseMove={() => i !== index && setCurrent(i)}
                    >
                        {option.mark}
                        <bdi className="cb-option-text">{shownName(option.text)}</bdi>
                        {option.note ? <bdi className="cb-option-note">{shownName(option.note)}</bdi> : null}
                    </li>
                ))}
            </ul>
            {found.length === 0 ? <p className="cb-options-none">{props.none}</p> : null}
            <span className="cb-hidden" role="status">
                {typed ? `${found.length} found` : ""}
            </span>
        </div>
    );
}
