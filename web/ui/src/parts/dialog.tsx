// A dialog over the page: the focus stays within, Esc and a click beside it close it.
import { useEffect, useRef, type ReactNode } from "react";

export function Dialog(props: {
    label: string;
    className?: string;
    onClose: () => void;
    children: ReactNode;
}) {
    const dialog = useRef<HTMLDialogElement>(null);
    const { onClose } = props;
    useEffect(() => {
        const element = dialog.current;
        const before = document.activeElement;
        if (element && !element.open) element.showModal?.();
        return () => {
            element?.close?.();
            if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
        };
    }, []);
    return (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events -- Esc closes it
        <dialog
            ref={dialog}
            className={"cb-dialog" + (props.className ? " " + props.className : "")}
            aria-label={props.label}
            onCancel={(event) => {
                event.preventDefault();
                onClose();
            }}
            onClick={(event) => {
                if (event.target === event.currentTarget) onClose();
            }}
        >
            <div className="cb-dialog-body">{props.children}</div>
        </dialog>
    );
}
