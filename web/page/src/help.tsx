// The list of keys.
import { Dialog } from "@callboard/ui";
import type { Key } from "./keys";

export function Help(props: { keys: readonly Key[]; onClose: () => void }) {
    return (
        <Dialog label="Keys" className="cb-help" onClose={props.onClose}>
            <header className="cb-dialog-head">
                <h2>Keys</h2>
                <button type="button" className="cb-button" onClick={props.onClose}>
                    Close
                </button>
            </header>
            <dl className="cb-keys">
                {props.keys.map(({ keys, text }) => (
                    <div key={keys}>
                        <dt>
                            {keys.split(", ").map((each) => (
                                <span key={each} className="cb-key-way">
                                    {each.split(" ").map((one) => (
                                        <kbd key={one}>{one}</kbd>
                                    ))}
                                </span>
                            ))}
                        </dt>
                        <dd>{text}</dd>
                    </div>
                ))}
            </dl>
            <p className="cb-quiet">Drag on a chart to choose a time; double click to go back out.</p>
        </Dialog>
    );
}
