// Turns live on and off; says since when it waits, or why it is paused.
import { useEffect, useState } from "react";
import type { Live } from "../live";

function seconds(since: number): string {
    return `${Math.max(0, Math.round((Date.now() - since) / 1000))} s`;
}

// Counts by itself, so that nothing else is drawn each second.
function LiveSince(props: { at: number }) {
    const [, tick] = useState(0);
    useEffect(() => {
        const timer = setInterval(() => tick((n) => n + 1), 1000);
        return () => clearInterval(timer);
    }, []);
    return <>{seconds(props.at)}</>;
}

export function LiveSwitch(props: { live: Live }) {
    const { live } = props;
    const shown = live.paused ? `Paused: ${live.paused}` : live.on ? "Live" : "Live: off";
    return (
        <button
            type="button"
            className={
                "cb-button cb-live" + (live.on ? (live.paused ? " cb-live-paused" : " cb-live-on") : "")
            }
            aria-pressed={live.on}
            aria-label={shown}
            disabled={!live.possible}
            title={live.possible ? "Asks again by itself ( . )" : "Only for a time that ends now"}
            onClick={live.toggle}
        >
            <span className="cb-live-dot" aria-hidden="true" />
            {live.paused ? (
                shown
            ) : live.on ? (
                <>
                    Live{" "}
                    <span className="cb-live-since">
                        <LiveSince at={live.answeredAt} />
                    </span>
                </>
            ) : (
                "Live"
            )}
        </button>
    );
}
