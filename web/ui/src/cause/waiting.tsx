// A question that takes long: how long it runs, and a way out.
import { useEffect, useState } from "react";
import { Loading } from "../states";

export function Waiting(props: { what: string; onCancel: () => void }) {
    const [seconds, setSeconds] = useState(0);
    useEffect(() => {
        const timer = setInterval(() => setSeconds((n) => n + 1), 1000);
        return () => clearInterval(timer);
    }, []);
    if (seconds < 1) return <Loading height={160} />;
    return (
        <div className="cb-notice" aria-busy="true">
            <p className="cb-notice-title" role="status">
                {props.what}
            </p>
            <progress aria-label={props.what} />{" "}
            <span className="cb-quiet" aria-hidden="true">
                {seconds} s
            </span>{" "}
            <button type="button" className="cb-button" onClick={props.onCancel}>
                Cancel
            </button>
        </div>
    );
}
