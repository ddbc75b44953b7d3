// A view that fails says so; the rest of the page stays.
import { Component, type ErrorInfo, type ReactNode } from "react";
import { Notice } from "../states";
import { CopyButton } from "./copy";

interface State {
    failure?: Error;
    of?: string;
}

// Parts of the page have new names after an update of the server.
const isMissingPart = (failure: Error) =>
    /dynamically imported module|Importing a module/i.test(failure.message);

export class Boundary extends Component<{ of: string; children: ReactNode }, State> {
    state: State = {};

    static getDerivedStateFromError(failure: Error): State {
        return { failure };
    }

    // Another page, or another address of it, is tried anew.
    static getDerivedStateFromProps(props: { of: string }, state: State): State | null {
        return props.of === state.of ? null : { of: props.of, failure: undefined };
    }

    componentDidCatch(failure: Error, info: ErrorInfo): void {
        console.error(failure, info.componentStack);
    }

    render(): ReactNode {
        const { failure } = this.state;
        if (!failure) return this.props.children;
        const missing = isMissingPart(failure);
        return (
            <Notice
                kind="error"
                title={missing ? "A part of this page could not be loaded" : "This view failed"}
            >
                <p>
                    {missing
                        ? "Callboard may have been updated, or cannot be reached. Load the page again."
                        : "An error in the page, not in your data. The rest of Callboard works."}
                </p>
                <p>
                    <code>{failure.message}</code>
                </p>
                <div className="cb-buttons">
                    <button type="button" className="cb-button" onClick={() => window.location.reload()}>
                        Load the page again
                    </button>
                    <button
                        type="button"
                        className="cb-button"
                        onClick={() => this.setState({ failure: undefined })}
                    >
                        Show it again
                    </button>
                    <CopyButton label="Copy the error" text={() => String(failure.stack ?? failure)} />
                </div>
            </Notice>
        );
    }
}
