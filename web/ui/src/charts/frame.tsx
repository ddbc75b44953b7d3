// The frame of a picture: a figure with its title, the figures in its accessible
// name, and the same as a table.
import { useId, useState, type ReactNode } from "react";
import { Loading } from "../states";

// Of a chart, unless it says another.
export const CHART_HEIGHT = 168;

export interface ChartTable {
    columns: readonly string[];
    rows: () => (readonly string[])[];
}

function Table(props: { label: string; table: ChartTable; height: number }) {
    const { columns, rows } = props.table;
    return (
        <div
            className="cb-chart-table"
            style={{ height: props.height }}
            role="region"
            aria-label={props.label}
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keys scroll what has focus
            tabIndex={0}
        >
            <table>
                <thead>
                    <tr>
                        {columns.map((column) => (
                            <th key={column} scope="col">
                                {column}
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody>
                    {rows().map((row) => (
                        <tr key={row[0]}>
                            {row.map((cell, i) =>
                                i === 0 ? (
                                    <th key={i} scope="row">
                                        {cell}
                                    </th>
                                ) : (
                                    <td key={i}>{cell}</td>
                                ),
                            )}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}

export function ChartFrame(props: {
    title: string;
    summary: string; // the figures in words, for the accessible name
    legend?: ReactNode;
    aside?: ReactNode;
    table?: ChartTable;
    height: number;
    loading?: boolean;
    hasData: boolean;
    empty?: string;
    children: ReactNode;
}) {
    const { title, height } = props;
    const [asTable, setAsTable] = useState(false);
    const id = useId();
    let body: ReactNode;
    if (!props.hasData && props.loading) body = <Loading height={height} />;
    else if (!props.hasData)
        body = (
            <p className="cb-chart-empty" style={{ height }}>
                {props.empty ?? "Nothing was recorded in this time."}
            </p>
        );
    else if (asTable && props.table)
        body = <Table label={`${title}, as a table`} table={props.table} height={height} />;
    else body = props.children;
    return (
        <figure
            className={"cb-chart" + (props.loading && props.hasData ? " cb-chart-busy" : "")}
            aria-labelledby={`${id}-title ${id}-summary`}
        >
            <figcaption className="cb-chart-head">
                <span id={`${id}-title`} className="cb-chart-title">
                    {title}
                </span>
                <span id={`${id}-summary`} className="cb-hidden">
                    {props.hasData ? props.summary : "no data"}
                </span>
                <span className="cb-chart-aside">
                    {props.aside}
                    {props.table && props.hasData ? (
                        <button
                            type="button"
                            className="cb-chart-button"
                            aria-pressed={asTable}
                            aria-label={`${title}: show as table`}
                            title={asTable ? "Show as picture" : "Show as table"}
                            onClick={() => setAsTable(!asTable)}
                        >
                            {asTable ? "picture" : "table"}
                        </button>
                    ) : null}
                </span>
                {props.legend}
            </figcaption>
            {body}
        </figure>
    );
}
