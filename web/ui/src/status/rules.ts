// What is not as it should be, by Callboard's own counters, with the sentences of
// docs/operations.md on what it means and what to do (held against it by a test).
import { formatBytes, formatCount, formatRate, formatSeconds } from "../format";
import type { Labels, Reading } from "./metrics";
import { rateOf } from "./metrics";

export interface Finding {
    severity: "bad" | "warning";
    counter: string;
    says: string;
    quote: string;
    link?: "catalog" | "dead-letters";
}

export interface RuleInput {
    now: Reading;
    before?: Reading;
    journalMax?: number;
}

interface Rule {
    severity: Finding["severity"];
    counter: string;
    labels?: Labels;
    quote: string;
    // What is said, or undefined if all is well.
    says: (value: number, input: RuleInput, rule: Rule) => string | undefined;
    link?: Finding["link"];
}

const sinceStart = (what: string) => (value: number) =>
    value > 0 ? `${formatCount(value)} ${what} since the start` : undefined;

// Since the start, and whether it goes on.
const growing = (what: string) => (value: number, input: RuleInput, rule: Rule) => {
    if (value === 0) return undefined;
    const rate = rateOf(input.before, input.now, rule.counter, rule.labels) ?? 0;
    return `${formatCount(value)} ${what} since the start, ${rate > 0 ? formatRate(rate) + " now" : "none now"}`;
};

const LAG_MAX = 60;
const CERTIFICATE_DAYS = 14;

export const RULES: readonly Rule[] = [
    {
        severity: "bad",
        counter: "requests_refused_total",
        labels: { reason: "storage" },
        says: growing("requests were refused"),
        quote: "storage: 503, the disk cannot be written",
    },
    {
        severity: "bad",
        counter: "requests_refused_total",
        labels: { reason: "busy" },
        says: growing("requests were refused"),
        quote: "busy: 503, a queue, the journal or the memory share is full.",
    },
    {
        severity: "bad",
        counter: "journal_errors_total",
        says: sinceStart("failures"),
        quote: "Failed writes or syncs, and damage found at start. Above 0: check the log and the disk.",
    },
    {
        severity: "bad",
        counter: "data_loss_total",
        says: sinceStart("losses were found"),
        quote: "Times that acknowledged data was found missing at the start",
    },
    {
        severity: "bad",
        counter: "store_errors_total",
        says: growing("commits failed"),
        quote: "Commits that failed; each is retried until it succeeds.",
    },
    {
        severity: "bad",
        counter: "store_corrupt_total",
        says: sinceStart("damaged blocks were skipped"),
        quote: "Damaged blocks skipped by queries. One block may be counted many times.",
    },
    {
        severity: "bad",
        counter: "store_repair_pending",
        says: (value) => (value > 0 ? "Damage was found" : undefined),
        quote: "SQLite found damage; the next start repairs the database.",
    },
    {
        severity: "bad",
        counter: "kafka_lost_total",
        says: sinceStart("messages were lost"),
        quote: "Kafka messages that the broker deleted before they were read: its retention is shorter than the lag was.",
    },
    {
        severity: "bad",
        counter: "tls_certificate_expires_seconds",
        says: (value) =>
            value < CERTIFICATE_DAYS * 86400
                ? value < 0
                    ? "A certificate has expired"
                    : `A certificate expires in ${formatSeconds(value)}`
                : undefined,
        quote: "Seconds until the certificate in use expires; negative: it has expired.",
    },
    {
        severity: "bad",
        counter: "audit_lost_lines_total",
        says: sinceStart("lines were lost"),
        quote: "Lines of the audit that could not be written.",
    },
    {
        severity: "warning",
        counter: "journal_bytes",
        says: (value, { journalMax }) =>
            journalMax && value > journalMax / 2
                ? `${formatBytes(value)} of ${formatBytes(journalMax)} are in the journal`
                : undefined,
        quote: "Near --journal-max: writing blocks does not keep up, and requests will get 503.",
    },
    {
        severity: "warning",
        counter: "kafka_dead_letters_total",
        says: sinceStart("messages could not be decoded"),
        quote: "Kafka messages that could not be decoded; GET /api/v1/dead-letters says why.",
        link: "dead-letters",
    },
    {
        severity: "warning",
        counter: "requests_refused_total",
        labels: { reason: "malformed" },
        says: growing("requests were refused"),
        quote: "malformed: 400, cannot be decoded.",
    },
    {
        severity: "warning",
        counter: "requests_refused_total",
        labels: { reason: "type" },
        says: growing("requests were refused"),
        quote: "type: 415, content type or encoding.",
    },
    {
        severity: "warning",
        counter: "requests_refused_total",
        labels: { reason: "size" },
        says: growing("requests were refused"),
        quote: "size: 413, over --max-body.",
    },
    {
        severity: "warning",
        counter: "requests_refused_total",
        labels: { reason: "tenant" },
        says: growing("requests were refused"),
        quote: "tenant: 429, the namespace of the credential is over a limit.",
    },
    {
        severity: "warning",
        counter: "records_rejected_total",
        says: growing("records were rejected"),
        quote: "Records rejected one by one (zero ids, too old) and reported as partial success. Check the sender.",
    },
    {
        severity: "warning",
        counter: "records_timestamp_corrected_total",
        says: growing("records"),
        quote: "Records without a time, or more than an hour in the future, stored at the time they were observed. A sender's clock is wrong.",
    },
    {
        severity: "warning",
        counter: "attributes_truncated_total",
        says: growing("attributes"),
        quote: "Attributes dropped and values truncated at the limits in include/record.h",
    },
    {
        severity: "warning",
        counter: "resources_overflow_total",
        says: growing("times"),
        quote: "Raise --max-resources, or find the sender whose resources have unique attribute values.",
    },
    {
        severity: "warning",
        counter: "unpaired_spans_evicted_total",
        says: growing("spans"),
        quote: "edges are missing. Lower --edge-wait.",
    },
    {
        severity: "warning",
        counter: "identity_conflicts_total",
        says: sinceStart("resources"),
        quote: "Two clusters share pod names, or a sender stamps a pod that is not its own.",
    },
    {
        severity: "warning",
        counter: "operations_other_total",
        says: growing("spans are counted as {other}, as their endpoint has too many operations,"),
        quote: "Often a route with ids in it.",
    },
    {
        severity: "warning",
        counter: "resources_unassigned",
        says: (value) => (value > 0 ? `${formatCount(value)} resources` : undefined),
        quote: "Resources without an identity: their telemetry belongs to no component. Labels are missing",
        link: "catalog",
    },
];

function lagFindings({ now, before }: RuleInput): Finding[] {
    return now.all("ingest_lag_seconds").flatMap(({ labels, value }): Finding[] => {
        const { signal = "" } = labels;
        const arriving = (rateOf(before, now, "records_accepted_total", { signal }) ?? 0) > 0;
        if (value <= LAG_MAX || !arriving) return [];
        return [
            {
                severity: "bad",
                counter: "ingest_lag_seconds",
                says: `The newest ${signal} were ${formatSeconds(value)} old when they were stored`,
                quote: LAG_QUOTE,
            },
        ];
    });
}

export const LAG_QUOTE =
    "Age of the newest record of the last batch when it was stored: how far behind queries are.";

// The worst first.
export function findingsOf(input: RuleInput): Finding[] {
    const found = RULES.flatMap((rule): Finding[] => {
        const value = input.now.sum(rule.counter, rule.labels);
        const says = value === undefined ? undefined : rule.says(value, input, rule);
        if (says === undefined) return [];
        const { severity, counter, quote, link } = rule;
        const { reason } = rule.labels ?? {};
        return [{ severity, counter: counter + (reason ? ` ${reason}` : ""), says, quote, link }];
    });
    const all = [...found, ...lagFindings(input)];
    return [...all.filter((one) => one.severity === "bad"), ...all.filter((one) => one.severity !== "bad")];
}

// Of /health, by what the answer's error begins with.
export const HEALTH_ADVICE: readonly [RegExp, string][] = [
    [/^the journal cannot be written/, "free space or repair the disk; it recovers by itself"],
    [/^the store cannot be written/, "a commit failed and is retried"],
    [/^shutting down/, "wait"],
    [/./, "the error of SQLite at the last commit"],
];

export function healthAdvice(error: string): string {
    return HEALTH_ADVICE.find(([begins]) => begins.test(error))?.[1] ?? "";
}
