// A small line of 20 to 60 points without axes.
export interface SparklineProps {
    values: readonly (number | null)[];
    role?: "primary" | "error" | "p99";
    // The largest value of the scale; absent: that of the values.
    max?: number;
    label: string;
    width?: number;
    height?: number;
}

// Parts of a line, apart where a value is not known.
export function sparklinePath(
    values: readonly (number | null)[],
    width: number,
    height: number,
    max: number,
): string {
    const step = values.length > 1 ? width / (values.length - 1) : 0;
    let path = "";
    let open = false;
    values.forEach((value, i) => {
        if (value === null) {
            open = false;
            return;
        }
        const y = height - 1 - (max > 0 ? (value / max) * (height - 2) : 0);
        path += `${open ? "L" : "M"}${(i * step).toFixed(1)} ${y.toFixed(1)}`;
        open = true;
    });
    return path;
}

export function Sparkline(props: SparklineProps) {
    const { values, width = 80, height = 20 } = props;
    const known = values.filter((value): value is number => value !== null);
    if (known.length < 2) return <span className="cb-spark-none" />;
    // Room above, so that a steady line does not look cut.
    const max = props.max ?? 1.15 * Math.max(...known);
    return (
        <svg
            className={`cb-spark cb-spark-${props.role ?? "primary"}`}
            width={width}
            height={height}
            viewBox={`0 0 ${width} ${height}`}
            role="img"
            aria-label={props.label}
        >
            <path d={sparklinePath(values, width, height, max)} />
        </svg>
    );
}
