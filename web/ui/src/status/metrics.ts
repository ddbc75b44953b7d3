// Callboard's own counters, as GET /metrics tells them, and rates between two readings.
export interface Sample {
    name: string;
    labels: Record<string, string>;
    value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Record<string, string> = { n: "\n", "\\": "\\", '"': '"' };

function valueOf(text: string): number {
    if (text === "+Inf") return Infinity;
    if (text === "-Inf") return -Infinity;
    return Number(text);
}

export function parseMetrics(text: string): Sample[] {
    return text.split("\n").flatMap((line) => {
        if (line === "" || line.startsWith("#")) return [];
        const found = LINE.exec(line);
        if (!found) return [];
        const labels: Record<string, string> = {};
        for (const [, name, value] of (found[2] ?? "").matchAll(LABEL))
            labels[name!] = value!.replace(/\\(.)/g, (whole, c: string) => ESCAPES[c] ?? whole);
        return [{ name: found[1]!, labels, value: valueOf(found[3]!) }];
    });
}

export type Labels = Readonly<Record<string, string>>;

export class Reading {
    private readonly byName = new Map<string, Sample[]>();

    constructor(
        readonly at: number, // ms since 1970
        text: string,
    ) {
        for (const sample of parseMetrics(text)) {
            const list = this.byName.get(sample.name);
            if (list) list.push(sample);
            else this.byName.set(sample.name, [sample]);
        }
    }

    // Names are without "callboard_".
    all(name: string): readonly Sample[] {
        return this.byName.get("callboard_" + name) ?? [];
    }

    // The sum over what has these labels; undefined if there is none.
    sum(name: string, labels: Labels = {}): number | undefined {
        const wanted = Object.entries(labels);
        const found = this.all(name).filter((one) =>
            wanted.every(([key, value]) => one.labels[key] === value),
        );
        return found.length > 0 ? found.reduce((sum, one) => sum + one.value, 0) : undefined;
    }

    // Values of a label, in their order.
    values(name: string, label: string): string[] {
        return [...new Set(this.all(name).map((one) => one.labels[label] ?? ""))];
    }
}

// Growth per second between two readings; a counter that is less than before was
// begun anew by a restart.
export function rateOf(
    before: Reading | undefined,
    now: Reading,
    name: string,
    labels: Labels = {},
): number | undefined {
    const [old, current] = [before?.sum(name, labels), now.sum(name, labels)];
    if (before === undefined || old === undefined || current === undefined || now.at <= before.at)
        return undefined;
    const growth = current >= old ? current - old : current;
    return (growth * 1000) / (now.at - before.at);
}

// The quantile of a histogram's growth, linear within a bucket.
export function quantileOf(
    before: Reading | undefined,
    now: Reading,
    name: string,
    q: number,
): number | undefined {
    const buckets = now
        .all(name + "_bucket")
        .map((one) => {
            const le = one.labels.le ?? "";
            const old = before?.sum(name + "_bucket", { le }) ?? 0;
            return { le: valueOf(le), count: one.value >= old ? one.value - old : one.value };
        })
        .sort((a, b) => a.le - b.le);
    const total = buckets[buckets.length - 1]?.count ?? 0;
    if (total === 0) return undefined;
    const rank = q * total;
    const i = buckets.findIndex((bucket) => bucket.count >= rank);
    const upper = buckets[i]!.le;
    const lower = i > 0 ? buckets[i - 1]!.le : 0;
    if (upper === Infinity) return lower;
    const below = i > 0 ? buckets[i - 1]!.count : 0;
    const share = buckets[i]!.count > below ? (rank - below) / (buckets[i]!.count - below) : 1;
    return lower + (upper - lower) * share;
}
