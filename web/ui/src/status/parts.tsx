// Parts of the status page: a share as a bar, tables of figures.
import type { ReactNode } from "react";
import { formatShare } from "../format";

// Of a limit; above half of it it is marked.
export function Share(props: {
    name: string;
    value: number;
    max: number | undefined;
    format: (n: number) => string;
}) {
    const { name, value, max, format } = props;
    const share = max ? Math.min(1, value / max) : undefined;
    const state = share === undefined || share < 0.5 ? "ok" : share < 0.8 ? "warning" : "bad";
    return (
        <div className="cb-gauge">
            <span className="cb-gauge-name">{name}</span>
            <span className="cb-gauge-value">
                {format(value)}
                {max ? ` of ${format(max)}, ${formatShare(value / max)}` : null}
            </span>
            {share === undefined ? null : (
                <svg className={`cb-gauge-bar cb-gauge-${state}`} aria-hidden="true" height="6" width="100%">
                    <rect className="cb-gauge-ground" width="100%" height="6" rx="3" />
                    <rect className="cb-gauge-part" width={`${share * 100}%`} height="6" rx="3" />
                </svg>
            )}
        </div>
    );
}

export function FiguresTable(props: {
    label: string;
    head: readonly string[];
    rows: readonly (readonly ReactNode[])[];
}) {
    return (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keys scroll what has focus
        <div className="cb-figures-table" role="region" aria-label={props.label} tabIndex={0}>
            <table>
                <caption className="cb-hidden">{props.label}</caption>
                <thead>
                    <tr>
                        {props.head.map((name) => (
                            <th key={name} scope="col">
                                {name}
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody>
                    {props.rows.map((row, i) => (
                        <tr key={i}>
                            {row.map((cell, j) =>
                                j === 0 ? (
                                    <th key={j} scope="row">
                                        {cell}
                                    </th>
                                ) : (
                                    <td key={j}>{cell}</td>
                                ),
                            )}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}
