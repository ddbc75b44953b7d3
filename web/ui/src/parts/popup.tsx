// What opens below a button: closed by Esc, by a click elsewhere, and when the
// focus leaves it; the focus goes back to the button.
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";

const MARGIN = 8;

export function Popup(props: {
    label: string; // of the button, whole
    button: ReactNode;
    buttonClass?: string;
    title?: string;
    role?: "dialog" | "listbox" | "menu";
    open: boolean;
    onOpen: (open: boolean) => void;
    children: ReactNode;
}) {
    const { open, onOpen } = props;
    const root = useRef<HTMLSpanElement>(null);
    const button = useRef<HTMLButtonElement>(null);
    const panel = useRef<HTMLDivElement>(null);
    const [at, setAt] = useState({ left: 0, top: 0, height: 0 });

    const place = useCallback(() => {
        if (!button.current || !panel.current) return;
        const rect = button.current.getBoundingClientRect();
        const width = panel.current.offsetWidth;
        const left = Math.max(MARGIN, Math.min(rect.left, window.innerWidth - width - MARGIN));
        const top = rect.bottom + 4;
        setAt({ left, top, height: Math.max(160, window.innerHeight - top - MARGIN) });
    }, []);
    useLayoutEffect(() => {
        if (open) place();
    }, [open, place]);
    useEffect(() => {
        if (!open) return;
        const outside = (event: Event) => {
            if (!root.current?.contains(event.target as Node)) onOpen(false);
        };
        document.addEventListener("pointerdown", outside);
        document.addEventListener("focusin", outside);
        window.addEventListener("resize", place);
        return () => {
            document.removeEventListener("pointerdown", outside);
            document.removeEventListener("focusin", outside);
            window.removeEventListener("resize", place);
        };
    }, [open, onOpen, place]);

    return (
        // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- Esc of what is inside
        <span
            ref={root}
            className="cb-popup"
            onKeyDown={(event) => {
                if (event.key !== "Escape" || !open) return;
                event.preventDefault();
                event.stopPropagation();
                onOpen(false);
                button.current?.focus();
            }}
        >
            <button
                ref={button}
                type="button"
                className={props.buttonClass ?? "cb-button"}
                aria-haspopup={props.role ?? "dialog"}
                aria-expanded={open}
                aria-label={props.label}
                title={props.title}
                onClick={() => onOpen(!open)}
            >
                {props.button}
            </button>
            {open ? (
                <div
                    ref={panel}
                    className="cb-popup-panel"
                    style={{ left: at.left, top: at.top, maxHeight: at.height }}
                >
                    {props.children}
                </div>
            ) : null}
        </span>
    );
}
