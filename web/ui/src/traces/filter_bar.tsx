// Operation, durations, failed only, attributes.
import { useEffect, useId, useState, type KeyboardEvent } from "react";
import { useSetParams } from "../address";
import { formatSeconds, formatTime } from "../format";
import { usePlace } from "../host";
import { Check } from "../parts/choice";
import { AddAttribute, Chip } from "../parts/attribute_filter";
import { boxOf, durationNs, filterParams } from "./filters";

// A text of the address, taken over with Enter or when the field is left.
function TextFilter(props: {
    param: string;
    label: string;
    placeholder: string;
    valid?: (text: string) => boolean;
    suggestions?: readonly string[];
    className?: string;
}) {
    const { params } = usePlace();
    const set = useSetParams();
    const known = params[props.param] ?? "";
    const [text, setText] = useState(known);
    const list = useId().replaceAll(":", "");
    useEffect(() => setText(known), [known]);
    const wrong = text !== "" && props.valid !== undefined && !props.valid(text);
    const take = () => {
        if (!wrong && text !== known) set({ [props.param]: text.trim() || undefined });
    };
    const keyDown = (event: KeyboardEvent) => {
        if (event.key === "Enter") take();
        if (event.key === "Escape") setText(known);
    };
    return (
        <label className="cb-check">
            {props.label}
            <input
                className={props.className ? `cb-input ${props.className}` : "cb-input"}
                value={text}
                placeholder={props.placeholder}
                aria-invalid={wrong}
                list={props.suggestions ? list : undefined}
                onChange={(event) => setText(event.target.value)}
                onBlur={take}
                onKeyDown={keyDown}
            />
            {props.suggestions ? (
                <datalist id={list}>
                    {props.suggestions.map((name) => (
                        <option key={name} value={name} />
                    ))}
                </datalist>
            ) : null}
        </label>
    );
}

function chipText(name: string, value: string): string {
    const box = name === "box" ? boxOf(value) : undefined;
    if (box)
        return (
            `${formatTime(box.from, { seconds: true })} to ${formatTime(box.to, { seconds: true })}, ` +
            `${formatSeconds(box.shortest)} to ${formatSeconds(box.longest)}`
        );
    return `${name.slice("attr.".length)} = ${value}`;
}

export function FilterBar(props: { operations: readonly string[] }) {
    const { params } = usePlace();
    const set = useSetParams();
    const isDuration = (text: string) => durationNs(text) !== undefined;
    const chips = filterParams(params).filter((name) => name === "box" || name.startsWith("attr."));
    return (
        <div className="cb-toolbar" role="group" aria-label="Filters">
            <TextFilter
                param="op"
                label="Operation"
                placeholder="all"
                suggestions={props.operations}
                className="cb-traces-operation"
            />
            <TextFilter
                param="min"
                label="from"
                placeholder="20ms"
                valid={isDuration}
                className="cb-traces-duration"
            />
            <TextFilter
                param="max"
                label="to"
                placeholder="2s"
                valid={isDuration}
                className="cb-traces-duration"
            />
            <Check checked={params.errors === "1"} onChange={(on) => set({ errors: on ? "1" : undefined })}>
                failed only
            </Check>
            <AddAttribute onAdd={(name, value) => set({ [`attr.${name}`]: value })} />
            {chips.map((name) => (
                <Chip
                    key={name}
                    text={chipText(name, params[name]!)}
                    drop={() => set({ [name]: undefined })}
                />
            ))}
        </div>
    );
}
