// Filters by attributes, and any filter of the address as a thing that can be dropped.
import { useState, type FormEvent } from "react";
import { shownName } from "../format";
import { Name } from "./marks";

// A button that becomes a form: name = value.
export function AddAttribute(props: { onAdd: (name: string, value: string) => void }) {
    const [open, setOpen] = useState(false);
    const [name, setName] = useState("");
    const [value, setValue] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (name.trim() === "" || value === "") return;
        props.onAdd(name.trim(), value);
        setOpen(false);
        setName("");
        setValue("");
    };
    if (!open)
        return (
            <button type="button" className="cb-button" onClick={() => setOpen(true)}>
                + attribute
            </button>
        );
    return (
        <form className="cb-add-attribute" onSubmit={submit}>
            <input
                className="cb-input"
                // eslint-disable-next-line jsx-a11y/no-autofocus -- it was just asked for
                autoFocus
                value={name}
                placeholder="name"
                aria-label="Name of the attribute"
                onChange={(event) => setName(event.target.value)}
                onKeyDown={(event) => event.key === "Escape" && setOpen(false)}
            />
            <span aria-hidden="true">=</span>
            <input
                className="cb-input"
                value={value}
                placeholder="value"
                aria-label="Value of the attribute"
                onChange={(event) => setValue(event.target.value)}
                onKeyDown={(event) => event.key === "Escape" && setOpen(false)}
            />
            <button type="submit" className="cb-button">
                Add
            </button>
        </form>
    );
}

// One filter of the address, with a button that drops it.
export function Chip(props: { text: string; drop: () => void }) {
    return (
        <span className="cb-chip">
            <Name text={props.text} />
            <button
                type="button"
                aria-label={`Drop the filter ${shownName(props.text)}`}
                onClick={props.drop}
            >
                ×
            </button>
        </span>
    );
}
