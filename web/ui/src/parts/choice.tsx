// One of a few: buttons side by side, the chosen one pressed. Yes or no: a box.
import type { ReactNode } from "react";

export interface Chosen<Value extends string> {
    value: Value;
    text: string;
    label?: string; // its accessible name, if the text alone is unclear
    title?: string;
}

export function Choice<Value extends string>(props: {
    label: string;
    options: readonly Chosen<Value>[];
    value: Value;
    onChange: (value: Value) => void;
}) {
    return (
        <span className="cb-choice" role="group" aria-label={props.label}>
            {props.options.map(({ value, text, label, title }) => (
                <button
                    key={value}
                    type="button"
                    className="cb-button"
                    title={title}
                    aria-label={label}
                    aria-pressed={value === props.value}
                    onClick={() => props.onChange(value)}
                >
                    {text}
                </button>
            ))}
        </span>
    );
}

export function Check(props: {
    checked: boolean;
    onChange: (checked: boolean) => void;
    title?: string;
    children: ReactNode;
}) {
    return (
        <label className="cb-check" title={props.title}>
            <input
                type="checkbox"
                checked={props.checked}
                onChange={(event) => props.onChange(event.target.checked)}
            />{" "}
            {props.children}
        </label>
    );
}
