// Small parts that every view uses: links, names, marks, figures.
import type { MouseEvent, ReactNode } from "react";
import { keptParams, useHref, withParams } from "../address";
import { formatAgo, formatTime, shownName } from "../format";
import { rfc3339 } from "../time";
import { useHost, usePlace, type PageName } from "../host";
import type { Health } from "../health";

// A link to a page that keeps scope and time. A plain click goes through the
// host, so the page is not loaded anew; other clicks are the browser's.
export function PageLink(props: {
    page: PageName;
    params?: Record<string, string | undefined>;
    section?: string;
    className?: string;
    title?: string;
    tabIndex?: number;
    current?: boolean; // it is the page that is shown
    children: ReactNode;
}) {
    const host = useHost();
    const place = usePlace();
    const href = useHref()(props.page, props.params, props.section);
    if (href === undefined) return <span className={props.className}>{props.children}</span>;
    const click = (event: MouseEvent) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        host.go(props.page, withParams(keptParams(place.params), props.params ?? {}), "step", props.section);
    };
    return (
        <a
            className={props.className ?? "cb-link"}
            href={href}
            onClick={click}
            title={props.title}
            tabIndex={props.tabIndex}
            aria-current={props.current ? "page" : undefined}
        >
            {props.children}
        </a>
    );
}

// A name from outside: whole in the tooltip where it is cut.
export function Name(props: { text: string; className?: string }) {
    const shown = shownName(props.text);
    return (
        <bdi className={"cb-name" + (props.className ? " " + props.className : "")} title={shown}>
            {shown}
        </bdi>
    );
}

export const HEALTH_SHAPES: Record<Health, string> = {
    ok: "●",
    warning: "▲",
    bad: "■",
    silent: "○",
    unknown: "·",
};
const WORDS: Record<Health, string> = {
    ok: "ok",
    warning: "warning",
    bad: "bad",
    silent: "silent",
    unknown: "unknown",
};

// State by shape, colour and word (the word for readers of screens).
// hidden: the word stands beside it.
export function HealthMark(props: { health: Health; hidden?: boolean }) {
    return (
        <span
            className={`cb-health cb-health-${props.health}`}
            role={props.hidden ? undefined : "img"}
            aria-hidden={props.hidden}
            aria-label={props.hidden ? undefined : WORDS[props.health]}
            title={WORDS[props.health]}
        >
            {HEALTH_SHAPES[props.health]}
        </span>
    );
}

export function Level(props: { level: string }) {
    const level = props.level || "UNKNOWN";
    return <span className={`cb-level cb-level-${level.toLowerCase()}`}>{shownName(level)}</span>;
}

// A time as people of here read it; UTC in the tooltip; RFC 3339 when copied.
export function Time(props: { at: string | number | Date; seconds?: boolean; ms?: boolean }) {
    const iso = typeof props.at === "string" ? props.at : rfc3339(props.at);
    return (
        <time dateTime={iso} title={iso}>
            {formatTime(props.at, { seconds: props.seconds, ms: props.ms })}
        </time>
    );
}

// A figure with its name, and how it was before.
export function Figure(props: {
    name: string;
    value: string;
    change?: string;
    health?: Health;
    title?: string;
}) {
    return (
        <div className="cb-figure" title={props.title}>
            <dt>{props.name}</dt>
            <dd>
                <span
                    className={props.health ? `cb-figure-value cb-text-${props.health}` : "cb-figure-value"}
                >
                    {props.value}
                </span>
                {props.change ? <span className="cb-figure-change">{props.change}</span> : null}
            </dd>
        </div>
    );
}

export function Figures(props: { children: ReactNode; label: string }) {
    return (
        <dl className="cb-figures" aria-label={props.label}>
            {props.children}
        </dl>
    );
}

// A part of a page with a heading that links can lead to (#id).
export function Section(props: { id: string; title: string; aside?: ReactNode; children: ReactNode }) {
    return (
        <section className="cb-section" id={props.id} aria-labelledby={`cb-${props.id}`}>
            <header className="cb-section-head">
                <h2 id={`cb-${props.id}`}>{props.title}</h2>
                {props.aside}
            </header>
            {props.children}
        </section>
    );
}

// How old the newest record is: a yellow dot if older than twice the interval in
// which records are expected.
export function Freshness(props: { at: string | undefined; now: number; intervalMs: number; what?: string }) {
    const { at, now, intervalMs, what = "last span" } = props;
    if (at === undefined) return <span className="cb-fresh cb-fresh-stale">no {what} yet</span>;
    const stale = now - new Date(at).getTime() > 2 * intervalMs;
    return (
        <span className={stale ? "cb-fresh cb-fresh-stale" : "cb-fresh"} title={at}>
            {what} {formatAgo(at, now)}
        </span>
    );
}
