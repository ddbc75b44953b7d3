// Text to copy: a command, or lines of a configuration.
import { CopyButton } from "./copy";

export function CopyText(props: { text: string }) {
    return (
        <div className="cb-copy">
            <pre>{props.text}</pre>
            <CopyButton text={() => props.text} label="Copy" />
        </div>
    );
}
