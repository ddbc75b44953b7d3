// Copies a text to the clipboard, saves it as a file.
import { useEffect, useRef, useState, type ReactNode } from "react";

// Where the clipboard's own interface is not there (no TLS), the old way.
export async function copyText(text: string): Promise<boolean> {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        const area = document.createElement("textarea");
        area.value = text;
        area.setAttribute("readonly", "");
        area.className = "cb-hidden";
        document.body.append(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        return done;
    }
}

export function downloadText(name: string, text: string, type: string): void {
    const address = URL.createObjectURL(new Blob([text], { type }));
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const SAID_MS = 2000;

// The text is made when it is asked for. What came of it is said in the button.
export function CopyButton(props: {
    text: () => string;
    label: ReactNode;
    className?: string;
    title?: string;
}) {
    const [said, setSaid] = useState<string>();
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    useEffect(() => () => clearTimeout(timer.current), []);
    const copy = async () => {
        setSaid((await copyText(props.text())) ? "Copied" : "Cannot copy");
        clearTimeout(timer.current);
        timer.current = setTimeout(() => setSaid(undefined), SAID_MS);
    };
    return (
        <button
            type="button"
            title={props.title}
            className={props.className ?? "cb-button"}
            onClick={() => void copy()}
        >
            <span aria-live="polite">{said ?? props.label}</span>
        </button>
    );
}
