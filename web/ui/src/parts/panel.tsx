// What was opened or chosen, beside or below where that was done.
import type { ReactNode } from "react";

export function Panel(props: {
    label: string;
    title: ReactNode;
    tools?: ReactNode; // before the button that closes it
    onClose: () => void;
    className?: string;
    children: ReactNode;
}) {
    return (
        <aside
            className={props.className ? `cb-panel ${props.className}` : "cb-panel"}
            aria-label={props.label}
        >
            <header className="cb-panel-head">
                <h2>{props.title}</h2>
                {props.tools}
                <button
                    type="button"
                    className="cb-button"
                    aria-label="Close"
                    title="Close"
                    onClick={props.onClose}
                >
                    ×
                </button>
            </header>
            {props.children}
        </aside>
    );
}
